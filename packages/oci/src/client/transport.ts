import { errorOf, isRecord, messageOf, parseJson, AppError, type Clock } from '@slipway/kit'

import { ociErrors } from '../errors.ts'
import { guardedStream, readAll, withDeadline } from '../streams.ts'
import { authorizerOf, emptyStream, type RegistryCredentials } from './authorization.ts'

export type RegistryClientOptions = {
  /** `https://registry.example.com`, without `/v2/`. */
  readonly baseUrl: string
  readonly credentials?: RegistryCredentials | undefined
  /** The guard for outbound addresses lies behind this port; the default is the platform's own `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined
  readonly clock: Clock
  readonly random?: (() => number) | undefined
  /** How long an answer's head may take. 30,000 ms by default; requests that carry a chunk get ten times that. */
  readonly timeoutMs?: number | undefined
  /** Upload chunk, held in memory. 8 MiB by default. */
  readonly chunkBytes?: number | undefined
}

export type Call = {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'
  /** Path below the base address, or a whole address that the registry gave. */
  readonly target: string
  readonly scopes: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | undefined
  readonly signal?: AbortSignal | undefined
}

/** Sends calls to one registry: login, redirects, deadlines, and errors in our words. */
export type Transport = {
  readonly host: string
  readonly clock: Clock
  /** Answers of any status but 401 after login; the caller must read or cancel the body. */
  readonly send: (call: Call) => Promise<Response>
  /** The error for an answer the caller did not expect; reads its body. */
  readonly errorFor: (response: Response, what: string) => Promise<AppError>
  readonly invalid: (reason: string) => AppError
}

const TIMEOUT_MS = 30_000
const BODY_TIMEOUT_FACTOR = 10
const REDIRECTS_MAX = 5
/** How long an answer's body may pause. */
export const IDLE_MS = 60_000
const ERROR_BODY_MAX_BYTES = 64 * 1024

export function transportOf(options: RegistryClientOptions): Transport {
  const baseUrl = new URL(options.baseUrl)
  const fetch = options.fetch ?? globalThis.fetch
  const { clock, credentials } = options
  const authorizer = authorizerOf({ baseUrl, credentials, fetch, clock })
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS
  const host = baseUrl.host
  const invalid = (reason: string): AppError => ociErrors.registry_reply_invalid({ registry: host, reason })

  async function sendOnce(url: URL, call: Call, signal: AbortSignal): Promise<Response> {
    let target = url
    for (let hop = 0; hop <= REDIRECTS_MAX; hop += 1) {
      // The login belongs to the registry alone: storage that it redirects to gets a signed address instead.
      const authorization =
        target.origin === baseUrl.origin ? await authorizer.headerFor(call.scopes, signal) : undefined
      const response = await fetch(target, {
        method: call.method,
        redirect: 'manual',
        signal,
        headers: { ...call.headers, ...(authorization === undefined ? {} : { authorization }) },
        ...(call.body === undefined ? {} : { body: call.body }),
      })
      if (![301, 302, 303, 307, 308].includes(response.status)) return response
      await discard(response)
      const next = URL.parse(response.headers.get('location') ?? '', target.href)
      if (!next || !/^https?:$/.test(next.protocol)) throw invalid('it redirects to no usable address')
      if (baseUrl.protocol === 'https:' && next.protocol !== 'https:')
        throw invalid('it redirects to an address that is not encrypted')
      if (call.method !== 'GET' && call.method !== 'HEAD') throw invalid('it redirects an upload')
      target = next
    }
    throw invalid('it redirects in a circle')
  }

  async function send(call: Call): Promise<Response> {
    const url = URL.parse(call.target, baseUrl.href)
    if (!url || !/^https?:$/.test(url.protocol)) throw invalid('it names an address that is not usable')
    const limitMs = call.body === undefined ? timeoutMs : timeoutMs * BODY_TIMEOUT_FACTOR
    const late = (): AppError =>
      ociErrors.registry_unreachable({ registry: host, reason: `no answer within ${limitMs} ms` })
    const attempt = (): Promise<Response> =>
      withDeadline(clock, limitMs, late, (deadline) =>
        sendOnce(url, call, call.signal ? AbortSignal.any([call.signal, deadline]) : deadline),
      )
    try {
      const response = await attempt()
      if (response.status !== 401) return response
      await discard(response)
      if (!authorizer.learn(response.headers.get('www-authenticate'), call.scopes)) return await refuseLogin()
      const second = await attempt()
      if (second.status !== 401) return second
      await discard(second)
      return await refuseLogin()
    } catch (cause) {
      if (cause instanceof AppError) throw cause
      if (call.signal?.aborted) throw errorOf(call.signal.reason)
      throw ociErrors.registry_unreachable({ registry: host, reason: reasonOf(cause) }, { cause })
    }
  }

  function refuseLogin(): Promise<never> {
    return Promise.reject(
      ociErrors.registry_unauthorized({ registry: host, account: credentials?.username ?? 'anonymous' }),
    )
  }

  return {
    host,
    clock,
    send,
    invalid,
    errorFor: (response, what) =>
      errorFor(response, { registry: host, what, account: credentials?.username ?? 'anonymous' }),
  }
}

/** fetch hides the system's reason in `cause`. */
function reasonOf(thrown: unknown): string {
  const inner = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown
  return messageOf(inner).slice(0, 200)
}

/** Frees the connection of an answer whose body nobody needs. */
export async function discard(response: Response): Promise<void> {
  try {
    await response.body?.cancel()
  } catch {
    // The connection broke while its body was being thrown away; nothing is lost.
  }
}

type ErrorContext = { readonly registry: string; readonly what: string; readonly account: string }

async function errorFor(response: Response, context: ErrorContext): Promise<AppError> {
  const { registry, what, account } = context
  const said = await saidBy(response)
  const retryAfterSeconds = retryAfterOf(response)
  if (response.status === 401 || response.status === 403)
    return ociErrors.registry_unauthorized({ registry, account, what, said })
  if (response.status === 404) return ociErrors.registry_content_missing({ registry, what })
  if (response.status === 429 || response.status === 503)
    return ociErrors.registry_unreachable(
      { registry, reason: `it answered ${response.status}` },
      { retryAfterSeconds },
    )
  return ociErrors.registry_refused({ registry, what, status: response.status, said })
}

function retryAfterOf(response: Response): number {
  const seconds = Number(response.headers.get('retry-after') ?? 'none')
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, 3_600) : 5
}

/** The first error of a registry's JSON body, on one line; empty when there is none. */
async function saidBy(response: Response): Promise<string> {
  try {
    const bytes = await readAll(
      response.body ?? emptyStream(),
      ERROR_BODY_MAX_BYTES,
      () => new Error('error body too large'),
    )
    const body = parseJson(bytes.toString('utf8'))
    const first: unknown = isRecord(body) && Array.isArray(body['errors']) ? body['errors'][0] : undefined
    if (!isRecord(first)) return ''
    const parts = [first['code'], first['message']].filter((part) => typeof part === 'string')
    return parts
      .join(': ')
      .replaceAll(/[^\x20-\x7e]+/g, ' ')
      .slice(0, 200)
  } catch {
    // The status alone has to do: the body is an HTML page, is too large or broke off.
    return ''
  }
}

export async function readBody(
  transport: Transport,
  response: Response,
  sizeMaxBytes: number,
): Promise<Buffer> {
  const late = (): AppError => transport.invalid('it stopped sending')
  const body = guardedStream(response.body ?? emptyStream(), transport.clock, IDLE_MS, late)
  return await readAll(body, sizeMaxBytes, () =>
    transport.invalid(`its answer is larger than ${sizeMaxBytes} bytes`),
  )
}
