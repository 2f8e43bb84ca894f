import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'

import {
  DAY_MS,
  MINUTE_MS,
  SECOND_MS,
  errorOf,
  systemCodeOf,
  systemRandom,
  type Clock,
  type Random,
} from '@slipway/kit'
import { replaceFile } from '@slipway/kit/files'
import { WebSocketServer } from 'ws'

import { statusErrors, StatusError } from '../errors.ts'
import type { Log, NodeAgent } from '../model.ts'
import type { OpenRegistry } from '../registry/registry.ts'
import { authenticate, authorize, type User } from './access.ts'
import { dispatch, type ApiContext } from './api.ts'
import { chooseProtocol } from './channels.ts'
import { sendError, statusErrorOf, statusObject } from './exchange.ts'
import { kubeconfigText, openKeys, type ServerKeys } from './keys.ts'
import { listsOver } from './lists.ts'
import { requestMeter } from './meter.ts'
import { isPublicPage, sendPage } from './pages.ts'
import { prepareCommand, prepareForward } from './pod-streams.ts'
import { PORT_FORWARD_PROTOCOL } from './port-forward.ts'
import { parsePath, type ApiRequest } from './route.ts'
import { watchHub } from './watch.ts'

export type ServerOptions = {
  readonly registry: OpenRegistry
  /** The node agents that answer now. */
  readonly agents: () => readonly NodeAgent[]
  /** Holds the keys and certificates below `pki/`, and the administrator's `kubeconfig`. */
  readonly dataFolder: string
  /** Port on loopback; 0 picks a free one. */
  readonly port: number
  readonly clock: Clock
  readonly log: Log
  readonly random?: Random
  /** Lines that other parts add to `/metrics`, in Prometheus text. */
  readonly metrics?: () => string
}

export type ApiServer = AsyncDisposable & {
  readonly url: string
  readonly port: number
  readonly kubeconfigPath: string
  readonly caPem: string
  readonly adminToken: string
}

const HEADER_MAX_BYTES = 32 * 1024
const CONNECTIONS_MAX = 16_384
const WEBSOCKET_MAX_BYTES = 1024 * 1024
const STREAMS = new Set(['exec', 'attach', 'portforward'])
/** The name of the real protocol has a slash, which RFC 6455 does not allow and the WebSocket library refuses to read. */
const FORWARD_STANDIN = 'portforward'
const CLOSE_WAIT_MS = 2 * SECOND_MS

/**
 * Starts the API server on 127.0.0.1. Dispose to end it; watches and streams end with it.
 * @throws {Error} when the port is taken
 */
export async function startServer(options: ServerOptions): Promise<ApiServer> {
  const { clock, registry, log } = options
  const keys = await openKeys(options.dataFolder, clock.now())
  const random = options.random ?? systemRandom
  const lists = listsOver(registry.store, clock)
  const watches = watchHub(registry.store, clock, random)
  const meter = requestMeter(registry.store, watches)
  const context: ApiContext = {
    store: registry.store,
    writes: registry.writes,
    lists,
    watches,
    keys,
    now: clock.now,
    random,
    agents: options.agents,
    agentOf: (nodeName) => options.agents().find((agent) => agent.nodeName === nodeName),
  }
  const server = createServer({
    ...(await keys.serving(clock.now())),
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.2',
    maxHeaderSize: HEADER_MAX_BYTES,
    keepAliveTimeout: 2 * MINUTE_MS,
    headersTimeout: 30 * SECOND_MS,
    // The time to send a whole request; answers may take for ever.
    requestTimeout: 2 * MINUTE_MS,
    keepAlive: true,
  })
  server.maxConnections = CONNECTIONS_MAX
  const sockets = webSockets()
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const finish = meter.begin(request)
    response.on('close', () => finish(response.statusCode))
    answer(context, request, response, () => `${meter.text()}${options.metrics?.() ?? ''}`).catch(
      (error: unknown) => refuse(response, error, log),
    )
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    upgrade({ context, sockets, log }, request, socket, head),
  )
  const port = await listen(server, options.port)
  const url = `https://127.0.0.1:${port}`
  const kubeconfigPath = join(options.dataFolder, 'kubeconfig')
  await replaceFile(kubeconfigPath, kubeconfigText(url, keys))
  const renewing = clock.every(DAY_MS, () => void renew(server, keys, options))
  return {
    url,
    port,
    kubeconfigPath,
    caPem: keys.caPem,
    adminToken: keys.adminToken,
    async [Symbol.asyncDispose]() {
      renewing[Symbol.dispose]()
      watches[Symbol.dispose]()
      for (const client of sockets.clients) client.close(1001)
      await closeServer(server, clock, sockets)
    },
  }
}

function webSockets(): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    maxPayload: WEBSOCKET_MAX_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) =>
      offered.has(FORWARD_STANDIN) ? PORT_FORWARD_PROTOCOL : (chooseProtocol(offered) ?? false),
  })
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port // a TCP server has no other kind of address
}

/** Answers that are under way get a moment to end, then their connections are cut. */
async function closeServer(server: Server, clock: Clock, sockets: WebSocketServer): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  const cut = clock.after(CLOSE_WAIT_MS, () => {
    for (const client of sockets.clients) client.terminate()
    server.closeAllConnections()
  })
  await closed
  cut[Symbol.dispose]()
}

async function renew(server: Server, keys: ServerKeys, { clock, log }: ServerOptions): Promise<void> {
  try {
    server.setSecureContext(await keys.serving(clock.now()))
  } catch (error) {
    log('error', 'the serving certificate could not be renewed; trying again in a day', {
      cause: errorOf(error).message,
    })
  }
}

async function answer(
  context: ApiContext,
  request: IncomingMessage,
  response: ServerResponse,
  metrics: () => string,
): Promise<void> {
  const { place, url } = placeOf(request)
  const isPublic = 'page' in place && isPublicPage(place.page)
  const user = isPublic ? undefined : identify(context, request)
  if ('page' in place) {
    if (!isPublic && !user) throw statusErrors.unauthorized()
    return sendPage(request, response, place.page, metrics)
  }
  if (!user) throw statusErrors.unauthorized()
  await dispatch(context, { request, response, query: url.searchParams, user }, place.api)
}

function placeOf(request: IncomingMessage): {
  place: { page: readonly string[] } | { api: ApiRequest }
  url: URL
} {
  const url = URL.parse(request.url ?? '/', 'https://localhost')
  const place = url ? parsePath(url.pathname) : undefined
  if (!url || !place)
    throw new StatusError(404, 'NotFound', 'the server could not find the requested resource')
  return { place, url }
}

function identify({ keys, store, now }: ApiContext, request: IncomingMessage): User | undefined {
  return authenticate(request, { keys, view: store, now: now() })
}

function refuse(response: ServerResponse, error: unknown, log: Log): void {
  // A client that left in the middle of its request is nobody's fault, and nobody to answer.
  if (systemCodeOf(error) === 'ECONNRESET' && response.destroyed) return
  const refusal = statusErrorOf(error)
  if (refusal.code >= 500 && !(error instanceof StatusError))
    log('error', 'a request failed', { cause: errorOf(error).stack ?? errorOf(error).message })
  if (response.destroyed) return
  if (response.headersSent) response.destroy()
  else sendError(response, refusal)
}

type UpgradeContext = { readonly context: ApiContext; readonly sockets: WebSocketServer; readonly log: Log }

/** Turns exec, attach and port-forward into WebSockets; everything that can be refused is refused before, as plain HTTP. */
function upgrade(
  { context, sockets, log }: UpgradeContext,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  socket.on('error', () => socket.destroy())
  try {
    const { place, url } = placeOf(request)
    const user = identify(context, request)
    const api = 'api' in place ? place.api : undefined
    const isStream = api?.plural === 'pods' && STREAMS.has(api.subresource)
    if (!api || !isStream || api.group !== '')
      throw statusErrors.badRequest('this resource cannot be upgraded to a WebSocket')
    authorize(user, api, {
      verb: 'create',
      group: '',
      resource: 'pods',
      subresource: api.subresource,
      namespace: api.namespace ?? '',
      name: api.name ?? '',
    })
    // First, since clients that fail here try again by SPDY and show only what that said.
    const isForward = api.subresource === 'portforward'
    const stream = isForward ? prepareForward(context, api) : prepareCommand(context, api, url.searchParams)
    if (request.headers.upgrade?.toLowerCase() !== 'websocket')
      throw statusErrors.badRequest('only WebSocket upgrades are served, of protocol v5.channel.k8s.io')
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim())
    const isSpoken = isForward
      ? offered.includes(PORT_FORWARD_PROTOCOL)
      : chooseProtocol(new Set(offered)) !== undefined
    if (!isSpoken)
      throw statusErrors.badRequest(
        `unable to negotiate protocol: use ${isForward ? PORT_FORWARD_PROTOCOL : 'v5.channel.k8s.io'}`,
      )
    if (isForward) request.headers['sec-websocket-protocol'] = FORWARD_STANDIN
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      stream.start(webSocket).catch((error: unknown) => {
        log('error', 'a stream to a pod failed', { cause: errorOf(error).message })
        webSocket.terminate()
      })
    })
  } catch (error) {
    refuseUpgrade(socket, statusErrorOf(error))
  }
}

function refuseUpgrade(socket: Duplex, error: StatusError): void {
  const body = JSON.stringify(statusObject(error))
  const head = [
    `HTTP/1.1 ${error.code} ${error.reason}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
