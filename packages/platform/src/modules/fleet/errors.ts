import { defineErrors } from '@slipway/messages'

export const fleetErrors = defineErrors({
  cluster_unknown: { status: 422 },
  cluster_unreachable: { status: 503 },
  cluster_refused: { status: 422 },
  cluster_in_use: { status: 409 },
  cluster_default: { status: 409 },
  cluster_too_old: { status: 422 },
  slug_taken: { status: 409 },
})
