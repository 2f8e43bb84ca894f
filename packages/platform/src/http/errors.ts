import { defineErrors } from '@slipway/messages'

/** Refusals of the route layer, and the ones every module shares. */
export const httpErrors = defineErrors({
  internal: { status: 500 },
  not_found: { status: 404 },
  route_unknown: { status: 404 },
  upgrade_needed: { status: 426 },
  input_invalid: { status: 400 },
  body_too_large: { status: 413 },
  body_too_slow: { status: 408 },
  headers_too_large: { status: 431 },
  headers_too_slow: { status: 408 },
  request_unreadable: { status: 400 },
  // What proxies write down for a caller who did not wait; nobody is left to read it but the audit log.
  caller_gone: { status: 499 },
  media_type_unsupported: { status: 415 },
  not_signed_in: { status: 401 },
  session_ended: { status: 401 },
  permission_missing: { status: 403 },
  rate_limited: { status: 429 },
  origin_refused: { status: 403 },
  replica_ending: { status: 503 },
  host_unknown: { status: 421 },
  tls_needed: { status: 400 },
  certificate_unusable: { status: 500 },
  idempotency_key_reused: { status: 409 },
  idempotency_result_secret: { status: 409 },
  idempotency_key_invalid: { status: 400 },
  too_many_streams: { status: 429 },
  generation_conflict: { status: 409 },
})

/** The object, or 404 when it vanished since its scope was resolved. */
export function found<T>(value: T | undefined): T {
  if (value === undefined) throw httpErrors.not_found()
  return value
}
