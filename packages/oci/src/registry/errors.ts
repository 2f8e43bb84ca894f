import { AppError } from '@slipway/kit'

/** The error codes of the distribution specification, each with the status it usually travels with. */
const STATUS = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 404,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 400,
  UNAUTHORIZED: 401,
  DENIED: 403,
  UNSUPPORTED: 400,
  TOOMANYREQUESTS: 429,
} as const

export type RegistryErrorCode = keyof typeof STATUS

/** A refusal in the protocol's own words; never leaves this package. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError'
  readonly code: RegistryErrorCode
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: RegistryErrorCode,
    message: string,
    more: {
      readonly status?: number
      readonly headers?: Readonly<Record<string, string>>
      readonly cause?: unknown
    } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause })
    this.code = code
    this.status = more.status ?? STATUS[code]
    this.headers = more.headers ?? {}
  }
}

/** What a port or parser threw, in the protocol's words; undefined for a failure that is ours. */
export function registryErrorOf(thrown: unknown): RegistryError | undefined {
  if (thrown instanceof RegistryError) return thrown
  if (!(thrown instanceof AppError)) return undefined
  const text = typeof thrown.params['reason'] === 'string' ? thrown.params['reason'] : thrown.code
  const code = codeFor(thrown)
  if (code === undefined) return undefined
  const headers = { 'retry-after': String(Math.ceil(thrown.retryAfterSeconds ?? 5)) }
  return new RegistryError(code, text, {
    status: thrown.status,
    cause: thrown,
    ...(code === 'TOOMANYREQUESTS' ? { headers } : {}),
  })
}

function codeFor(error: AppError): RegistryErrorCode | undefined {
  if (error.code === 'digest_invalid') return 'DIGEST_INVALID'
  if (error.code === 'manifest_invalid') return 'MANIFEST_INVALID'
  switch (error.status) {
    case 401:
      return 'UNAUTHORIZED'
    case 404:
      return 'NAME_UNKNOWN'
    case 413:
      return 'SIZE_INVALID'
    case 429:
    case 503:
      return 'TOOMANYREQUESTS'
    case 403:
    case 409:
    case 422:
      return 'DENIED'
    default:
      return undefined
  }
}

export function errorResponse(error: RegistryError): Response {
  const body = JSON.stringify({ errors: [{ code: error.code, message: error.message, detail: {} }] })
  return new Response(body, {
    status: error.status,
    headers: { 'content-type': 'application/json', ...error.headers },
  })
}
