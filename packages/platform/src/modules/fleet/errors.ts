import { defineErrors } from '@slipway/messages'

export const fleetErrors = defineErrors({ cluster_unknown: { status: 422 } })
