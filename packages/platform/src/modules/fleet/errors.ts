import { defineErrors } from '@slipway/messages'

export const fleetErrors = defineErrors({
  cluster_unknown: { status: 422 },
  cluster_unreachable: { status: 503 },
  cluster_refused: { status: 422 },
  cluster_in_use: { status: 409 },
  cluster_default: { status: 409 },
  cluster_too_old: { status: 422 },
  cluster_untrusted: { status: 422 },
  cluster_not_kubernetes: { status: 422 },
  cluster_failing: { status: 503 },
  cluster_credentials_refused: { status: 422 },
  cluster_credentials_expired: { status: 503 },
  cluster_credentials_given: { status: 409 },
  cluster_rights_missing: { status: 422 },
  cluster_owned: { status: 409 },
  cluster_registered: { status: 409 },
  cluster_without_agent: { status: 409 },
  cluster_token_capped: { status: 422 },
  cluster_account_unusable: { status: 422 },
  slug_taken: { status: 409 },
})
