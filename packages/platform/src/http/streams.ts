import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { STREAMS_PER_ACCOUNT, type Stream } from '@slipway/contract'
import { assert, SECOND_MS } from '@slipway/kit'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { WebSocketServer, type WebSocket } from 'ws'

import type { Account, RequestContext } from '../context.ts'
import { appendEvent, INSTALLATION_CHAIN } from '../modules/audit/index.ts'
import { callerAddress } from './address.ts'
import { authenticate, authenticateAgain, presentedOf } from './authenticate.ts'
import { authorize, nowhere, scopeOf, type Target } from './authorize.ts'
import { isKnownHost, isSameOrigin, publicUrlOf } from './browser.ts'
import { errorBody, refuseConnection } from './error-reply.ts'
import { httpErrors } from './errors.ts'
import { logFailure } from './log-failure.ts'
import { parsePart, refusalOf } from './parse.ts'
import { callRecord, recordRefusal } from './refusal.ts'
import type { Describe, Download, SseEvent, StreamCall, StreamHandler } from './routes.ts'
import { contextOf, signalOf, type HttpDeps } from './serve.ts'

/** An open stream asks again whether it may, this often; a revoked account is cut off within this time. */
const RECHECK_MS = 4 * SECOND_MS
/** Keeps proxies from closing a quiet stream. */
const PING_MS = 20 * SECOND_MS
const MESSAGE_BYTES_MAX = 1024 * 1024
/** How long the end of an event stream may take to reach its reader. */
const LAST_MS = 10 * SECOND_MS

/** What is opened, and what its audit event says. */
type Opening = { readonly stream: Stream; readonly describe?: Describe<Stream> | undefined }
type Opened = {
  readonly context: RequestContext
  readonly input: StreamCall<Stream>['input']
  readonly target: Target
}
type Incoming = Pick<FastifyRequest, 'id' | 'ip' | 'raw' | 'headers' | 'method'> & {
  readonly params: unknown
  readonly query: unknown
}

/** Streams open now, by account. One process's count: it bounds this process's memory. */
const openStreams = new Map<string, number>()

async function open(
  deps: HttpDeps,
  { stream, describe }: Opening,
  request: Incoming,
  signal: AbortSignal,
): Promise<Opened> {
  const { platform } = deps
  const now = platform.clock.now()
  const account = await authenticate(platform, {
    presented: presentedOf(platform, request.headers),
    headers: request.headers,
    method: request.method,
    address: request.ip,
    rate: stream.rate,
    needsAccount: stream.auth === 'account',
    now,
  })
  const params = parsePart('path', stream.params, request.params)
  const { target, input } = await permit(deps, { stream, describe }, { request, account, params, now })
  return {
    context: contextOf(platform, request, { account, now, dryRun: false, signal }),
    input,
    target,
  }
}

type Asking = {
  readonly request: Incoming
  readonly account: Account
  readonly params: unknown
  readonly now: Date
}

/** Decides whether the stream may be opened, and records that it was, or that it was refused. */
async function permit(
  deps: HttpDeps,
  { stream, describe }: Opening,
  { request, account, params, now }: Asking,
): Promise<Pick<Opened, 'target' | 'input'>> {
  const { platform, finders } = deps
  try {
    return await platform.database.transact(scopeOf(account), async (db) => {
      const target = await authorize(db, finders, account, { operation: stream, params })
      const input = { params, query: parsePart('query', stream.query, request.query), body: undefined }
      if (stream.audit !== undefined)
        await appendEvent(platform, db, {
          ...callRecord(stream.audit, {
            id: platform.newId('aud'),
            at: now,
            account,
            requestId: request.id,
            address: request.ip,
          }),
          chain: target.place.organizationId ?? INSTALLATION_CHAIN,
          target: target.target,
          projectId: target.place.projectId,
          outcome: 'success',
          code: null,
          detail: (await describe?.(input, { db, platform, requestId: request.id })) ?? {},
        })
      return { target, input }
    })
  } catch (thrown) {
    const target: Target = { target: '', place: nowhere }
    await recordRefusal(platform, {
      operation: stream,
      params,
      target,
      refusal: refusalOf(thrown),
      account,
      request,
    })
    throw thrown
  }
}

type Guard = Disposable & Pick<StreamCall<Stream>, 'onRecheck'>

/** Counts an open stream, and ends it by `cut` when its account may no longer. */
function guard(deps: HttpDeps, stream: Stream, request: Incoming, opened: Opened, cut: () => void): Guard {
  const { platform, finders } = deps
  const { account } = opened.context
  const key = account.via === 'none' ? opened.context.address : account.id
  const count = (openStreams.get(key) ?? 0) + 1
  if (count > STREAMS_PER_ACCOUNT)
    throw httpErrors.too_many_streams({ max: STREAMS_PER_ACCOUNT }, { retryAfterSeconds: 10 })
  openStreams.set(key, count)

  const listeners: ((account: Account) => void)[] = []
  const recheck = async (): Promise<void> => {
    const again = await authenticateAgain(
      platform,
      presentedOf(platform, request.headers),
      platform.clock.now(),
    )
    if (!again) return cut()
    await platform.database.transact(scopeOf(again), (db) =>
      authorize(db, finders, again, { operation: stream, params: opened.input.params }),
    )
    for (const listener of listeners) listener(again)
  }
  // A database that does not answer ends the stream too: without an answer, nobody may.
  const timer =
    stream.auth === 'account' ? platform.clock.every(RECHECK_MS, () => void recheck().catch(cut)) : undefined
  // Events end only when their subject does: cut off instead of ended, a reader knows that it has to come back for the rest.
  const isEndless = stream.transport === 'sse' || stream.transport === 'websocket'
  if (isEndless) deps.closing.addEventListener('abort', cut)
  if (isEndless && deps.closing.aborted) cut()
  return {
    onRecheck: (listener) => void listeners.push(listener),
    [Symbol.dispose]() {
      timer?.[Symbol.dispose]()
      deps.closing.removeEventListener('abort', cut)
      const left = (openStreams.get(key) ?? 1) - 1
      if (left === 0) openStreams.delete(key)
      else openStreams.set(key, left)
    },
  }
}

/** Makes the Fastify handler of an SSE, download or upload stream. */
export function serveStream(deps: HttpDeps, stream: Stream, handler: StreamHandler<Stream>) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const { describe } = handler
    const opened = await open(deps, { stream, describe }, request, signalOf(reply.raw))
    using guarded = guard(deps, stream, request, opened, () => reply.raw.destroy())
    const call: StreamCall<Stream> = {
      input: opened.input,
      ctx: opened.context,
      lastEventId: headerOf(request, 'last-event-id'),
      onRecheck: guarded.onRecheck,
      send: (event) => sendEvent(reply, event),
      accept: () => Promise.reject(new Error('this stream is not a WebSocket')),
      upload: request.raw,
      download: (content) => sendDownload(reply, content),
    }
    if (stream.transport !== 'sse') {
      await handler(call)
      return reply.sent ? reply : reply.code(204).send()
    }
    using ping = deps.platform.clock.every(
      PING_MS,
      () => reply.raw.headersSent && reply.raw.write(': ping\n\n'),
    )
    assert(ping, 'a stream is kept alive')
    await handler(call).catch((thrown: unknown) => failEventStream(deps, reply, thrown))
    if (!reply.raw.headersSent) startEvents(reply)
    reply.raw.end()
    // A reader that does not take the end either is not waited for.
    const last = deps.platform.clock.after(LAST_MS, () => reply.raw.destroy())
    reply.raw.once('close', () => last[Symbol.dispose]())
    return reply
  }
}

/**
 * Makes the handler of a plain GET on a WebSocket's path. Programs cannot read why a handshake was refused, so they ask again
 * without one and learn the reason here.
 */
export function explainSocket(deps: HttpDeps, stream: Stream) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<never> => {
    // Nothing is opened, so nothing is recorded as such.
    await open(deps, { stream: { ...stream, audit: undefined } }, request, signalOf(reply.raw))
    throw httpErrors.upgrade_needed()
  }
}

function startEvents(reply: FastifyReply): void {
  reply.hijack()
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) reply.raw.setHeader(name, value)
  reply.raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
}

async function sendEvent(reply: FastifyReply, { id, event, data }: SseEvent): Promise<void> {
  if (reply.raw.destroyed) return
  if (!reply.raw.headersSent) startEvents(reply)
  const head = `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}`
  if (reply.raw.write(`${head}data: ${JSON.stringify(data)}\n\n`)) return
  await new Promise<void>((resolve) => {
    const done = (): void => {
      reply.raw.off('drain', done)
      reply.raw.off('close', done)
      resolve()
    }
    reply.raw.on('drain', done)
    reply.raw.on('close', done)
  })
}

/** Before the first event a failure is an ordinary refusal; after it, a last event that says so. */
async function failEventStream(deps: HttpDeps, reply: FastifyReply, thrown: unknown): Promise<void> {
  if (!reply.raw.headersSent) throw thrown
  if (reply.raw.destroyed) return
  const refusal = refusalOf(thrown)
  if (refusal.status >= 500)
    logFailure(deps.platform.log, thrown, { message: 'an event stream failed', requestId: reply.request.id })
  // Not waited for: the reader may be the reason.
  void sendEvent(reply, { event: 'error', data: errorBody(refusal, reply.request.id) })
}

async function sendDownload(reply: FastifyReply, content: Download): Promise<void> {
  reply.hijack()
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) reply.raw.setHeader(name, value)
  reply.raw.writeHead(200, {
    'content-type': content.contentType,
    ...content.headers,
    ...(content.sizeBytes === undefined ? {} : { 'content-length': content.sizeBytes }),
    ...(content.fileName === undefined
      ? {}
      : { 'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(content.fileName)}` }),
  })
  await pipeline(content.body, reply.raw)
}

function headerOf(request: Pick<FastifyRequest, 'headers'>, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}

export type UpgradeRoute = {
  readonly stream: Stream
  readonly handler: StreamHandler<Stream>
  /** The path's parameters, when it is this route's. */
  readonly match: (path: string) => Readonly<Record<string, string>> | undefined
}

/** Answers WebSocket upgrades: the same checks as any request, then the handler. */
export function upgradeHandler(deps: HttpDeps, routes: readonly UpgradeRoute[]) {
  const server = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_BYTES_MAX })
  return async (raw: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const { platform } = deps
    const id = platform.newId('req')
    let accepted: WebSocket | undefined
    try {
      const { route, request } = incomingOf(deps, routes, raw, id)
      const { describe } = route.handler
      const opened = await open(deps, { stream: route.stream, describe }, request, signalOf(socket))
      using guarded = guard(deps, route.stream, request, opened, () => socket.destroy())
      await route.handler({
        input: opened.input,
        ctx: opened.context,
        lastEventId: undefined,
        onRecheck: guarded.onRecheck,
        send: () => Promise.reject(new Error('this stream is a WebSocket')),
        upload: socket,
        download: () => Promise.reject(new Error('this stream is a WebSocket')),
        accept: () =>
          new Promise((resolve) =>
            server.handleUpgrade(raw, socket, head, (webSocket) => {
              accepted = webSocket
              resolve(webSocket)
            }),
          ),
      })
    } catch (thrown) {
      const refusal = refusalOf(thrown)
      if (refusal.status >= 500)
        logFailure(platform.log, thrown, { message: 'a WebSocket failed', requestId: id })
      if (accepted) accepted.close(1011, refusal.code.slice(0, 100))
      else refuseConnection(socket, refusal, id)
    }
  }
}

/** Finds the route of an upgrade, and refuses what a page of another site, or under another name, asks for. */
function incomingOf(
  { platform }: HttpDeps,
  routes: readonly UpgradeRoute[],
  raw: IncomingMessage,
  id: string,
): { readonly route: UpgradeRoute; readonly request: Incoming } {
  const { settings } = platform
  const forwarded = headerOf({ headers: raw.headers }, 'x-forwarded-for')
  if (!isKnownHost(settings, raw.headers.host))
    throw httpErrors.host_unknown({ url: publicUrlOf(settings).origin })
  const [path = '', query = ''] = (raw.url ?? '/').split(/\?(.*)/su, 2)
  for (const route of routes) {
    const params = route.match(path)
    if (params === undefined) continue
    if (presentedOf(platform, raw.headers)?.byCookie === true && !isSameOrigin(settings, raw.headers))
      throw httpErrors.origin_refused()
    const request: Incoming = {
      id,
      ip: callerAddress(settings.trustedProxies, raw.socket.remoteAddress ?? '', forwarded),
      raw,
      headers: raw.headers,
      method: 'GET',
      params,
      query: queryOf(query),
    }
    return { route, request }
  }
  throw httpErrors.route_unknown({ method: 'WebSocket', path: path.slice(0, 200) })
}

/** A parameter that comes twice is a list, as it is for every other route. */
function queryOf(text: string): Readonly<Record<string, string | string[]>> {
  const all = new URLSearchParams(text)
  const names = [...new Set(all.keys())]
  return Object.fromEntries(
    names.map((name) => {
      const values = all.getAll(name)
      return [name, values.length === 1 ? (values[0] ?? '') : values]
    }),
  )
}
