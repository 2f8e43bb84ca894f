/** What a placeholder of an error's text may hold. Never a secret: parameters travel to the reader as they are. */
export type ErrorParams = Readonly<Record<string, string | number | boolean>>

/**
 * A refusal the caller can understand and act on.
 * `code` is API and never renamed; the texts for it stand in `messages`, in both languages, and are rendered from `params`.
 */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: string
  /** HTTP status. */
  readonly status: number
  readonly params: ErrorParams
  /** Seconds after which trying again makes sense; becomes `Retry-After`. */
  readonly retryAfterSeconds: number | undefined

  constructor(
    code: string,
    status: number,
    params: ErrorParams = {},
    options: { readonly cause?: unknown; readonly retryAfterSeconds?: number } = {},
  ) {
    super(code, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.status = status
    this.params = params
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

type ErrorOptions = { readonly cause?: unknown; readonly retryAfterSeconds?: number }
type ErrorTable = Readonly<Record<string, { readonly status: number }>>
type ErrorFactories<T extends ErrorTable> = {
  readonly [K in keyof T]: (params?: ErrorParams, options?: ErrorOptions) => AppError
}

/** Every code that `defineErrors` has seen in this process, with its status. A test compares it with the texts in `messages`. */
export const definedErrors: Map<string, number> = new Map()

/**
 * Declares a module's error table (code → status) and returns one factory per code.
 * @throws {Error} when another module has declared the same code with another status.
 */
export function defineErrors<const T extends ErrorTable>(table: T): ErrorFactories<T> {
  const factories: Record<string, (params?: ErrorParams, options?: ErrorOptions) => AppError> = {}
  for (const [code, { status }] of Object.entries(table)) {
    const known = definedErrors.get(code)
    if (known !== undefined && known !== status) throw new Error(`error code ${code} is declared twice`)
    definedErrors.set(code, status)
    factories[code] = (params, options) => new AppError(code, status, params, options)
  }
  return factories as ErrorFactories<T>
}

/** The message of anything that was thrown, for a log line. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** Wraps anything that was thrown as an Error, keeping Errors as they are. */
export function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

/** The `code` of a system error (`ENOENT`, `ECONNREFUSED`, …) or undefined. */
export function systemCodeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined
  return typeof thrown.code === 'string' ? thrown.code : undefined
}
