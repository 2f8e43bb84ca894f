import { defineErrors } from '@slipway/messages'

export const sourceErrors = defineErrors({
  source_missing: { status: 404 },
  source_url_invalid: { status: 422 },
  source_local_refused: { status: 422 },
  source_local_data: { status: 422 },
  source_plain_http: { status: 422 },
  source_credentials_kind: { status: 422 },
  source_unreachable: { status: 422 },
  source_login_refused: { status: 422 },
  source_host_key_changed: { status: 422 },
  source_not_a_repository: { status: 422 },
  source_empty: { status: 422 },
  source_too_large: { status: 422 },
  source_busy: { status: 503 },
  source_failed: { status: 422 },
  ref_unknown: { status: 422 },
  ref_invalid: { status: 422 },
  ref_ambiguous: { status: 422 },
  app_manifest_invalid: { status: 422 },
})
