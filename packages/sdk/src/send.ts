import { isRecord, parseJson, retryDelayMs, type Clock, type ErrorParams, type Random } from '@slipway/kit'

import { ApiError, connectionError, localError } from './error.ts'
import type { Prepared } from './prepare.ts'
import type { CallOptions } from './types.ts'

/*
 * One call, from request to answer. A request is sent again only when that cannot do anything twice: reads, and POSTs
 * under their Idempotency-Key, after 429, 503 or a lost connection. All attempts share one deadline; waiting for a server
 * that asks for more time than is left is refused at once instead.
 */

/** Everything the calls of one client share. */
export type Transport = {
  readonly server: string
  readonly fetch: typeof globalThis.fetch
  readonly clock: Clock
  readonly random: Random
  readonly headers: Readonly<Record<string, string>>
  /** Whether the browser's cookies prove who is calling. */
  readonly cookies: boolean
  readonly timeoutMs: number
  readonly attemptsMax: number
}

const FIRST_RETRY_MS = 200
const RETRY_MAX_MS = 5_000
/** Largest JSON answer that is read, in bytes. */
const ANSWER_LIMIT_BYTES = 64 * 1024 * 1024
const IDEMPOTENCY_BYTES = 16

export type SendOptions = CallOptions & {
  readonly accept?: string
  readonly contentType?: string
  readonly content?: RequestInit['body']
}

/**
 * Sends a request and hands the answer (status 2xx, body unread) to `read`, all within the deadline.
 * @throws {ApiError} what the server refused with, or why no answer came
 */
export async function send<Answer>(
  transport: Transport,
  request: Prepared,
  options: SendOptions,
  read: (response: Response) => Promise<Answer>,
): Promise<Answer> {
  using deadline = deadlineOf(transport.clock, options.timeoutMs ?? transport.timeoutMs, options.signal)
  const init = initOf(transport, request, options)
  const repeatable =
    options.content === undefined &&
    (request.method === 'GET' || init.headers['idempotency-key'] !== undefined)
  for (let attempt = 0; ; attempt += 1) {
    const outcome = await attemptOnce(transport, request, { ...init, signal: deadline.signal }, read)
    if (outcome.kind === 'answered') return outcome.answer
    deadline.throwIfOver()
    const { error } = outcome
    if (!repeatable || attempt + 1 >= transport.attemptsMax || !isTransient(error)) throw error
    const waitMs =
      error.retryAfterSeconds === undefined
        ? retryDelayMs(attempt, transport.random, { firstMs: FIRST_RETRY_MS, maxMs: RETRY_MAX_MS })
        : error.retryAfterSeconds * 1_000
    if (waitMs >= deadline.leftMs()) throw error
    await transport.clock.sleep(waitMs, deadline.signal).catch((thrown: unknown) => {
      deadline.throwIfOver()
      throw thrown
    })
  }
}

/** Sends a request and returns the JSON it answers; undefined when the answer has no body. */
export function sendForJson(transport: Transport, request: Prepared, options: SendOptions): Promise<unknown> {
  return send(transport, request, options, async (response) => {
    if (response.status === 204) return undefined
    const text = await readText(response, transport.server)
    if (text === '') return undefined
    try {
      return parseJson(text)
    } catch (cause) {
      throw localError('answer_invalid', { server: transport.server, problem: 'not JSON' }, cause)
    }
  })
}

type Init = RequestInit & { readonly headers: Readonly<Record<string, string>> }

function initOf(transport: Transport, request: Prepared, options: SendOptions): Init {
  const headers: Record<string, string> = {
    accept: options.accept ?? 'application/json',
    ...transport.headers,
  }
  const body = options.content ?? request.body
  if (body !== undefined) headers['content-type'] = options.contentType ?? 'application/json'
  if (request.method === 'POST') headers['idempotency-key'] = options.idempotencyKey ?? newIdempotencyKey()
  if (options.lastEventId !== undefined) headers['last-event-id'] = options.lastEventId
  return {
    method: request.method,
    headers,
    body: body ?? null,
    credentials: transport.cookies ? 'include' : 'omit',
    // A redirect would take the token somewhere nobody chose.
    redirect: 'error',
    // A streamed body is sent while it is made; the Fetch standard wants that said.
    ...(options.content instanceof ReadableStream ? { duplex: 'half' } : {}),
  }
}

/** Chance from the one source that browsers offer on plain http too. */
function newIdempotencyKey(): string {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(IDEMPOTENCY_BYTES))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

type Outcome<Answer> =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly error: ApiError }

async function attemptOnce<Answer>(
  transport: Transport,
  request: Prepared,
  init: Init,
  read: (response: Response) => Promise<Answer>,
): Promise<Outcome<Answer>> {
  try {
    const response = await transport.fetch(request.url, init)
    if (!response.ok) return { kind: 'failed', error: await refusalOf(response, transport.server) }
    return { kind: 'answered', answer: await read(response) }
  } catch (thrown) {
    if (thrown instanceof ApiError) return { kind: 'failed', error: thrown }
    // Whatever fetch throws, before or within the body, is a connection that did not hold.
    return { kind: 'failed', error: connectionError(transport.server, thrown) }
  }
}

function isTransient(error: ApiError): boolean {
  return error.status === 429 || error.status === 503 || error.code === 'server_unreachable'
}

/** Reads the error that a response carries. A body that is not ours (a proxy's page) becomes `answer_invalid`. */
async function refusalOf(response: Response, server: string): Promise<ApiError> {
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN)
  const retryAfterSeconds = Number.isFinite(retryAfter) && retryAfter >= 0 ? retryAfter : undefined
  const body = await readText(response, server)
    .then((text) => parseJson(text))
    // Whatever could not be read is told by the status below.
    .catch(() => undefined)
  return refusalFrom(body, response.status, {
    server,
    requestId: response.headers.get('x-request-id') ?? '',
    retryAfterSeconds,
  })
}

/** The error that a body tells of (`{error: {code, …}}`), or `answer_invalid` when it is not one of ours. */
export function refusalFrom(
  body: unknown,
  status: number,
  around: {
    readonly server?: string
    readonly requestId?: string
    readonly retryAfterSeconds?: number | undefined
  } = {},
): ApiError {
  const { server = '', requestId = '', retryAfterSeconds } = around
  const error = isRecord(body) && isRecord(body['error']) ? body['error'] : undefined
  if (error === undefined || typeof error['code'] !== 'string')
    return new ApiError('answer_invalid', {
      status,
      params: { server, problem: `status ${status}` },
      requestId,
      retryAfterSeconds,
    })
  return new ApiError(error['code'], {
    status,
    message: typeof error['message'] === 'string' ? error['message'] : error['code'],
    params: paramsOf(error['params']),
    requestId: typeof error['requestId'] === 'string' ? error['requestId'] : requestId,
    retryAfterSeconds,
  })
}

function paramsOf(value: unknown): ErrorParams {
  if (!isRecord(value)) return {}
  const params: Record<string, string | number | boolean> = {}
  for (const [name, param] of Object.entries(value))
    if (typeof param === 'string' || typeof param === 'number' || typeof param === 'boolean')
      params[name] = param
  return params
}

/** The text of a body, up to the limit. */
async function readText(response: Response, server: string): Promise<string> {
  if (!response.body) return ''
  const decoder = new TextDecoder()
  let text = ''
  let sizeBytes = 0
  for await (const chunk of chunksOf(response.body)) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > ANSWER_LIMIT_BYTES)
      throw localError('answer_invalid', { server, problem: `more than ${ANSWER_LIMIT_BYTES} bytes` })
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** The chunks of a body. Leaving the loop early cancels the transfer; not every browser can iterate a stream itself. */
export async function* chunksOf(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = body.getReader()
  let finished = false
  try {
    for (;;) {
      const { done, value } = await reader.read()
      finished = done
      if (done) return
      yield value
    }
  } finally {
    // Cancelling a body that already failed rejects with that failure, which the reader has seen.
    if (!finished) await reader.cancel().catch(() => undefined)
  }
}

type Deadline = Disposable & {
  readonly signal: AbortSignal
  readonly leftMs: () => number
  /** @throws what the caller's signal gives as reason, or `request_timed_out` */
  readonly throwIfOver: () => void
}

/** Joins the caller's signal and the time limit into one signal. */
function deadlineOf(clock: Clock, timeoutMs: number, signal: AbortSignal | undefined): Deadline {
  const timer = new AbortController()
  const endMs = clock.monotonicMs() + timeoutMs
  const pending = clock.after(timeoutMs, () => timer.abort())
  return {
    signal: signal ? AbortSignal.any([signal, timer.signal]) : timer.signal,
    leftMs: () => endMs - clock.monotonicMs(),
    throwIfOver() {
      signal?.throwIfAborted()
      if (timer.signal.aborted)
        throw localError('request_timed_out', { seconds: Math.round(timeoutMs / 100) / 10 })
    },
    [Symbol.dispose]: () => pending[Symbol.dispose](),
  }
}
