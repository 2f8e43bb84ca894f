import { isRecord, type ErrorParams } from '@slipway/kit'

/** Codes of failures that no server has answered; their texts stand beside the servers' in `messages`. */
export type LocalCode =
  | 'server_unreachable'
  | 'request_timed_out'
  | 'answer_invalid'
  | 'stream_overflow'
  | 'certificate_untrusted'
  | 'certificate_expired'
  | 'certificate_for_others'

/**
 * A refusal of the platform, or the failure to get an answer from it (`status` 0).
 * Readers render `code` and `params` in their own language; `message` is the server's English text, for logs.
 */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: string
  /** HTTP status; 0 when no answer came. */
  readonly status: number
  readonly params: ErrorParams
  /** What the server's log knows this request by; empty when no answer came. */
  readonly requestId: string
  /** Seconds after which trying again makes sense. */
  readonly retryAfterSeconds: number | undefined

  constructor(
    code: string,
    details: {
      readonly status?: number
      readonly message?: string
      readonly params?: ErrorParams
      readonly requestId?: string
      readonly retryAfterSeconds?: number | undefined
      readonly cause?: unknown
    } = {},
  ) {
    super(details.message ?? code, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.status = details.status ?? 0
    this.params = details.params ?? {}
    this.requestId = details.requestId ?? ''
    this.retryAfterSeconds = details.retryAfterSeconds
  }
}

/** A failure that this side found. */
export function localError(code: LocalCode, params: ErrorParams, cause?: unknown): ApiError {
  return new ApiError(code, { params, cause })
}

/** Node's and OpenSSL's names of what can be wrong with a certificate, and what a person is told. */
const CERTIFICATE_CODES: Readonly<Record<string, LocalCode>> = {
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate_untrusted',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate_untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate_untrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate_untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate_untrusted',
  CERT_SIGNATURE_FAILURE: 'certificate_untrusted',
  INVALID_CA: 'certificate_untrusted',
  CERT_HAS_EXPIRED: 'certificate_expired',
  CERT_NOT_YET_VALID: 'certificate_expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate_for_others',
}
const CAUSES_MAX = 5

/** Why a connection did not come about: the server's certificate, or that nobody answers. */
export function connectionError(server: string, thrown: unknown): ApiError {
  let cause = thrown
  for (let depth = 0; depth < CAUSES_MAX && isRecord(cause); depth += 1) {
    const code = typeof cause['code'] === 'string' ? CERTIFICATE_CODES[cause['code']] : undefined
    if (code !== undefined) return localError(code, { server }, thrown)
    cause = cause['cause']
  }
  return localError('server_unreachable', { server }, thrown)
}
