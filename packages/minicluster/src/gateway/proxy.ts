/*
 * One request through the gateway. Nothing is sent twice that must not be: a request that failed before any byte of its answer
 * is tried on another instance if no connection was made, or if its method may be repeated (RFC 9110, 9.2.2) and its body is
 * still in hand. Only requests that may be repeated travel over kept-alive connections, because such a connection may be closed
 * by the instance at the very moment of use; all others get a connection of their own.
 */
import {
  Agent,
  type ClientRequest,
  type IncomingMessage,
  request as startRequest,
  type ServerResponse,
} from 'node:http'

import { type Clock, errorOf } from '@slipway/kit'

import type { HttpRouteFilter } from '../model.ts'
import { nextBackend, nextInRotation, type Rotation } from './balance.ts'
import { bodyOf, type RequestBody } from './body.ts'
import type { Endpoint, EndpointSource } from './endpoints.ts'
import {
  type Address,
  type Origin,
  redirectTarget,
  requestHeaders,
  responseHeaders,
  rewrittenTarget,
} from './headers.ts'
import type { GatewayMetrics, Labels } from './metrics.ts'
import { answer } from './page.ts'
import type { Backend, Found } from './table.ts'

export type ProxyParts = {
  readonly clock: Clock
  readonly endpoints: EndpointSource
  readonly rotation: Rotation
  readonly metrics: GatewayMetrics
  readonly agents: Agents
  /** Requests under way by endpoint key. */
  readonly load: Map<string, number>
}

export type Exchange = {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly found: Found
  readonly address: Address
  readonly origin: Origin
}

const ATTEMPTS_MAX = 4
const CONNECT_TIMEOUT_MS = 5_000
const ANSWER_TIMEOUT_MS = 300_000
const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

export type Agents = { readonly kept: Agent; readonly fresh: Agent }

/**
 * `kept` keeps connections shorter than instances do: Node's own servers close idle ones after 5 s. `fresh` uses each connection
 * once but does not announce that: an instance told so would close it at an early answer, with the rest of the body under way.
 */
export function upstreamAgents(): Agents {
  return {
    kept: new Agent({ keepAlive: true, maxFreeSockets: 64, timeout: 4_000, scheduling: 'lifo' }),
    fresh: Object.assign(new Agent({ keepAlive: true }), { keepSocketAlive: () => false }),
  }
}

export type Choice =
  | { readonly kind: 'service'; readonly backend: Extract<Backend, { kind: 'service' }> }
  | { readonly kind: 'answer'; readonly status: number; readonly why: string; readonly backend: string }

/** The backend of a request, or what to say when there is none. */
export function chooseBackend(rotation: Rotation, found: Found): Choice {
  const backend = nextBackend(rotation, found.rule)
  if (!backend) return { kind: 'answer', status: 500, why: 'The route leads nowhere.', backend: '' }
  if (backend.kind === 'invalid')
    return {
      kind: 'answer',
      status: 500,
      why: 'The route leads to something that does not exist.',
      backend: backend.name,
    }
  return { kind: 'service', backend }
}

/** An endpoint that has not been tried: a ready one, else one that still serves while it ends. */
export function chooseEndpoint(
  parts: ProxyParts,
  backend: Extract<Backend, { kind: 'service' }>,
  tried: ReadonlySet<string>,
): Endpoint | undefined {
  const { namespace, name, port } = backend
  const { ready, ending } = parts.endpoints.of(namespace, name, port)
  const key = `${namespace}/${name}:${port}`
  const load = (endpoint: Endpoint): number => parts.load.get(endpoint.key) ?? 0
  const isUntried = (endpoint: Endpoint): boolean => !tried.has(endpoint.key)
  return (
    nextInRotation(parts.rotation, key, ready, {
      isUsable: (endpoint) => isUntried(endpoint) && parts.endpoints.isUp(endpoint),
      load,
    }) ?? nextInRotation(parts.rotation, key, [...ready, ...ending], { isUsable: isUntried, load })
  )
}

/** Answers one request. Never rejects: whatever goes wrong becomes an answer or a closed connection. */
export async function proxyRequest(parts: ProxyParts, exchange: Exchange): Promise<void> {
  const { request, response, found } = exchange
  const startedMs = parts.clock.monotonicMs()
  const choice = chooseBackend(parts.rotation, found)
  const labels: Labels = {
    namespace: found.rule.namespace,
    route: found.rule.route,
    backend: choice.kind === 'service' ? choice.backend.name : choice.backend,
    code: '2xx',
  }
  let isBroken = false
  response.once('close', () => {
    // A client that left before the end is its own doing, unless the instance broke off.
    const ended = response.writableFinished ? response.statusCode : 499
    const code = isBroken ? 502 : ended
    parts.metrics.record(
      { ...labels, code: `${Math.floor(code / 100)}xx` },
      (parts.clock.monotonicMs() - startedMs) / 1000,
    )
  })

  const redirect = found.rule.filters.find((filter) => filter.requestRedirect)?.requestRedirect
  if (redirect) {
    const location = redirectTarget(exchange.address, redirect)
    response.writeHead(redirect.statusCode ?? 302, { location, 'content-length': 0 }).end()
    return
  }
  if (choice.kind === 'answer') {
    answer(request, response, { status: choice.status, why: choice.why })
    return
  }
  const outcome = await forward(parts, exchange, choice.backend)
  if (outcome.kind === 'broken') {
    isBroken = true
    response.destroy()
  } else if (outcome.kind === 'failed' && !response.headersSent) answer(request, response, outcome)
}

type Outcome =
  | { readonly kind: 'done' }
  /** The answer broke off after it had begun. */
  | { readonly kind: 'broken' }
  | { readonly kind: 'failed'; readonly status: number; readonly why: string }

async function forward(
  parts: ProxyParts,
  exchange: Exchange,
  backend: Extract<Backend, { kind: 'service' }>,
): Promise<Outcome> {
  const { request, response, found } = exchange
  const abort = new AbortController()
  // After a whole answer the connection to the instance is somebody else's already.
  response.once('close', () => {
    if (!response.writableFinished) abort.abort()
  })
  let isOverdue = false
  const { requestTimeoutMs } = found.rule
  using _ =
    requestTimeoutMs === undefined
      ? undefined
      : parts.clock.after(requestTimeoutMs, () => {
          isOverdue = true
          abort.abort()
        })
  const body = bodyOf(request)
  const tried = new Set<string>()
  let last: Extract<Attempt, { kind: 'failed' }> | undefined
  while (tried.size < ATTEMPTS_MAX) {
    const endpoint = chooseEndpoint(parts, backend, tried)
    if (!endpoint) break
    const isFirst = tried.size === 0
    tried.add(endpoint.key)
    const attempt = await attemptOn(parts, exchange, {
      backend,
      endpoint,
      body,
      isFirst,
      signal: abort.signal,
    })
    if (attempt.kind === 'answered') {
      // What is left of a body that nobody read must not be taken for the next request.
      if (!request.complete) request.resume()
      return { kind: isOverdue || attempt.isBroken ? 'broken' : 'done' }
    }
    last = attempt
    if (isOverdue) return { kind: 'failed', status: 504, why: 'The application did not answer in time.' }
    if (abort.signal.aborted || response.destroyed) return { kind: 'done' }
    if (!mayRepeat(request, body, attempt)) break
  }
  if (!last) return { kind: 'failed', status: 503, why: 'No instance of the application is ready.' }
  if (last.isTimeout) return { kind: 'failed', status: 504, why: 'The application did not answer in time.' }
  return { kind: 'failed', status: 502, why: 'The application closed the connection without an answer.' }
}

function mayRepeat(
  request: IncomingMessage,
  body: RequestBody,
  attempt: Extract<Attempt, { kind: 'failed' }>,
): boolean {
  if (!attempt.isConnected) return true
  // The time is used up; another instance would only be given the same slow work.
  if (attempt.isTimeout) return false
  return REPEATABLE.has(request.method ?? '') && body.isReplayable()
}

type Attempt =
  | { readonly kind: 'answered'; readonly isBroken: boolean }
  | {
      readonly kind: 'failed'
      readonly isConnected: boolean
      readonly isTimeout: boolean
      readonly error: Error
    }

type Try = {
  readonly backend: Extract<Backend, { kind: 'service' }>
  readonly endpoint: Endpoint
  readonly body: RequestBody
  readonly isFirst: boolean
  readonly signal: AbortSignal
}

async function attemptOn(parts: ProxyParts, exchange: Exchange, attempt: Try): Promise<Attempt> {
  const { endpoint } = attempt
  parts.load.set(endpoint.key, (parts.load.get(endpoint.key) ?? 0) + 1)
  try {
    return await sendAndRelay(parts, exchange, attempt)
  } finally {
    const left = (parts.load.get(endpoint.key) ?? 1) - 1
    if (left > 0) parts.load.set(endpoint.key, left)
    else parts.load.delete(endpoint.key)
  }
}

function sendAndRelay(parts: ProxyParts, exchange: Exchange, attempt: Try): Promise<Attempt> {
  const { request, response, found } = exchange
  const filters = [...found.rule.filters, ...attempt.backend.filters]
  return new Promise((resolve) => {
    let isConnected = false
    let isTimeout = false
    const upstream = openUpstream(parts, exchange, attempt, filters)
    const giveUp = (): void => {
      isTimeout = true
      upstream.destroy(new Error('timed out'))
    }
    let timer = parts.clock.after(CONNECT_TIMEOUT_MS, giveUp)
    const onConnected = (): void => {
      isConnected = true
      timer[Symbol.dispose]()
      timer = parts.clock.after(found.rule.backendTimeoutMs ?? ANSWER_TIMEOUT_MS, giveUp)
      attempt.body.sendTo(upstream)
    }
    const onAbort = (): void => void upstream.destroy(new Error('the request was given up'))
    attempt.signal.addEventListener('abort', onAbort, { once: true })
    const end = (result: Attempt): void => {
      timer[Symbol.dispose]()
      attempt.signal.removeEventListener('abort', onAbort)
      attempt.body.detach(upstream)
      resolve(result)
    }
    upstream.once('socket', (socket) => {
      if (socket.connecting) socket.once('connect', onConnected)
      else onConnected()
    })
    upstream.once('response', (incoming) => {
      timer[Symbol.dispose]()
      void relay(incoming, { request, response, filters }).then((isWhole) => {
        // Also when the answer came before all of the body was sent: the rest is of no use.
        if (!isWhole || !upstream.writableFinished) upstream.destroy()
        end({ kind: 'answered', isBroken: !isWhole && !attempt.signal.aborted })
        return undefined
      })
    })
    upstream.on('error', (thrown) => {
      // After the answer has begun, `relay` tells the end.
      if (!upstream.res) end({ kind: 'failed', isConnected, isTimeout, error: errorOf(thrown) })
    })
    if (attempt.signal.aborted) onAbort()
  })
}

declare module 'node:http' {
  interface ClientRequest {
    /** The response, once it has begun; set by Node, missing in its types. */
    readonly res?: IncomingMessage
  }
}

function openUpstream(
  parts: ProxyParts,
  { request, origin, address }: Exchange,
  { endpoint, body, isFirst }: Try,
  filters: readonly HttpRouteFilter[],
): ClientRequest {
  const mayReuse = isFirst && REPEATABLE.has(request.method ?? '') && !body.exists
  return startRequest({
    host: endpoint.address,
    port: endpoint.port,
    method: request.method ?? 'GET',
    path: rewrittenTarget(request.url ?? '/', address, filters),
    headers: requestHeaders(request.rawHeaders, origin, {
      hasBody: body.exists,
      upgrade: undefined,
      filters,
    }),
    agent: mayReuse ? parts.agents.kept : parts.agents.fresh,
    setHost: false,
    maxHeaderSize: 64 * 1024,
  })
}

type Relay = {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly filters: readonly HttpRouteFilter[]
}

/** Sends an answer on to the client; resolves to false when it broke off on either side. */
function relay(incoming: IncomingMessage, { response, filters }: Relay): Promise<boolean> {
  return new Promise((resolve) => {
    response.sendDate = false
    const headers = responseHeaders(incoming.rawHeaders, filters)
    try {
      response.writeHead(incoming.statusCode ?? 502, incoming.statusMessage, headers)
    } catch {
      // Node refuses what its parser let through (control characters in a header): the answer cannot be passed on.
      incoming.destroy()
      resolve(false)
      return
    }
    // Streams such as server-sent events show their headers before their first byte; most answers bring both at once.
    setImmediate(() => {
      if (!response.writableEnded && !response.destroyed) response.flushHeaders()
    })
    incoming.once('end', () => {
      if (incoming.rawTrailers.length > 0 && !response.hasHeader('content-length'))
        response.addTrailers(incoming.trailers)
      response.end()
    })
    incoming.once('aborted', () => resolve(false))
    incoming.once('error', () => resolve(false))
    response.once('close', () => resolve(response.writableFinished))
    incoming.pipe(response, { end: false })
  })
}
