import { defineErrors } from '@slipway/messages'

export const identityErrors = defineErrors({
  first_run_closed: { status: 409 },
  first_run_token_wrong: { status: 401 },
  credentials_wrong: { status: 401 },
  account_locked: { status: 429 },
  sign_in_busy: { status: 503 },
  password_weak: { status: 422 },
  password_same: { status: 422 },
  user_name_taken: { status: 409 },
  user_last_operator: { status: 409 },
  token_unknown: { status: 404 },
  session_needed: { status: 403 },
  device_decided: { status: 409 },
  device_needs_session: { status: 403 },
  device_busy: { status: 503 },
})
