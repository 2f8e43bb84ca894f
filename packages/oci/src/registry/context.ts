import { AppError, type Clock, type NewId } from '@slipway/kit'

import { emptyStream } from '../client/authorization.ts'
import { guardedStream, type ByteStream } from '../streams.ts'
import { RegistryError } from './errors.ts'
import type { BlobStore, RegistryAction, RegistryEvent, RegistryMetadata, RegistrySubject } from './ports.ts'
import type { TokenAccess, TokenSigner } from './token.ts'

export type RegistryLimits = {
  readonly blobMaxBytes: number
  /** How long a body may pause. */
  readonly idleMs: number
  /** A body slower than this for longer than `idleMs` is ended. */
  readonly bytesPerSecondMin: number
  readonly tagPageMax: number
  readonly referrerPageMax: number
}

export const REGISTRY_LIMITS: RegistryLimits = {
  blobMaxBytes: 32 * 1024 ** 3,
  idleMs: 30_000,
  bytesPerSecondMin: 1_024,
  tagPageMax: 1_000,
  referrerPageMax: 500,
}

export type RegistryOptions = {
  readonly blobs: BlobStore
  readonly metadata: RegistryMetadata
  readonly clock: Clock
  readonly newId: NewId
  /** Checks a user name with a password, personal token or robot's secret; undefined when it does not fit. */
  readonly authenticate: (credentials: {
    readonly username: string
    readonly password: string
  }) => Promise<RegistrySubject | undefined>
  /**
   * What `subject` (undefined: anonymous) may do in a repository, whether or not it exists. Asked on every request, tokens
   * or not, so that a withdrawn right ends at once. Without `pull` the repository looks absent.
   */
  readonly authorize: (
    subject: RegistrySubject | undefined,
    repository: string,
  ) => Promise<readonly RegistryAction[]>
  readonly login: {
    /** Where tokens are made: a path of this server such as `/v2/token`, or a whole address. */
    readonly realm: string
    readonly service: string
    readonly tokens: TokenSigner
  }
  readonly limits?: Partial<RegistryLimits> | undefined
  /** Deletion may be switched off; then it answers 405. */
  readonly deletes?: boolean | undefined
  /** Told before the answer goes out; throwing turns the answer into a failure. */
  readonly onEvent?: ((event: RegistryEvent) => Promise<void> | void) | undefined
  /** Told of everything answered with 500. */
  readonly onFailure?: ((error: unknown, request: Request) => void) | undefined
  /** From a change to the first look of the collector. 24 h by default. */
  readonly reviewDelayMs?: number | undefined
}

/** Who a request comes from, and by which means. */
export type Caller = {
  readonly subject: RegistrySubject | undefined
  /** What the token was made for; undefined for Basic, which is not bound to scopes. */
  readonly access: readonly TokenAccess[] | undefined
  readonly isPresent: boolean
}

export type Exchange = {
  readonly options: RegistryOptions
  readonly limits: RegistryLimits
  readonly request: Request
  readonly url: URL
  readonly caller: Caller
}

const REVIEW_DELAY_MS = 24 * 3_600_000

export function reviewAfter(exchange: Exchange): Date {
  const delayMs = exchange.options.reviewDelayMs ?? REVIEW_DELAY_MS
  return new Date(exchange.options.clock.now().getTime() + delayMs)
}

/**
 * The body under its limits: size, pauses, and a speed below which it is an attack rather than a transfer.
 * @throws {RegistryError} while being read
 */
export function bodyOf(exchange: Exchange, sizeMaxBytes: number): ByteStream {
  const { clock } = exchange.options
  const { idleMs, bytesPerSecondMin } = exchange.limits
  const slow = (): RegistryError =>
    new RegistryError('BLOB_UPLOAD_INVALID', 'the body came too slowly', { status: 408 })
  async function* limited(): AsyncGenerator<Uint8Array> {
    const startedMs = clock.monotonicMs()
    let sizeBytes = 0
    for await (const chunk of guardedStream(exchange.request.body ?? emptyStream(), clock, idleMs, slow)) {
      sizeBytes += chunk.length
      if (sizeBytes > sizeMaxBytes)
        throw new RegistryError('SIZE_INVALID', `the body is larger than ${sizeMaxBytes} bytes`, {
          status: 413,
        })
      const tookMs = clock.monotonicMs() - startedMs
      if (tookMs > idleMs + (sizeBytes / bytesPerSecondMin) * 1_000) throw slow()
      yield chunk
    }
  }
  return limited()
}

/** The announced length of the body, or undefined. */
export function contentLengthOf(request: Request): number | undefined {
  const text = request.headers.get('content-length')
  if (text === null) return undefined
  if (!/^[0-9]{1,15}$/.test(text)) throw new RegistryError('SIZE_INVALID', 'Content-Length is no number')
  return Number(text)
}

/** Tells the platform; its refusals (a quota, say) reach the client. */
export async function tell(
  exchange: Exchange,
  event: Pick<RegistryEvent, 'kind' | 'repository'> & Partial<RegistryEvent>,
): Promise<void> {
  const { options, caller } = exchange
  await options.onEvent?.({
    digest: undefined,
    tags: [],
    subject: caller.subject,
    at: options.clock.now(),
    ...event,
  })
}

/** Tells apart what the client caused from what we did, for errors that streams throw. */
export function isRefusal(thrown: unknown): boolean {
  return thrown instanceof RegistryError || thrown instanceof AppError
}
