import type { ErrorParams } from '@slipway/kit'

/** Codes of failures that no server has answered; their texts stand beside the servers' in `messages`. */
export type LocalCode = 'server_unreachable' | 'request_timed_out' | 'answer_invalid' | 'stream_overflow'

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
