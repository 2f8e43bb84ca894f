import type { Server } from 'node:http'

import {
  BODY_LIMIT_BYTES,
  contract,
  HEADER_LIMIT_BYTES,
  type Endpoint,
  type Protocol,
  type Stream,
} from '@slipway/contract'
import { SECOND_MS, systemCodeOf, type AppError } from '@slipway/kit'
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
} from 'fastify'

import { acceptJsonOnly } from './body.ts'
import { isKnownHost, publicUrlOf, redirectOf, transportHeaders } from './browser.ts'
import { errorBody, refusalHeaders, refuseConnection, SAFE_HEADERS } from './error-reply.ts'
import { httpErrors } from './errors.ts'
import { isForPrograms, type ConsolePage } from './console/index.ts'
import { closeInOrder } from './lifecycle.ts'
import { logFailure } from './log-failure.ts'
import { refusalOf } from './parse.ts'
import { serveProtocol } from './protocol.ts'
import type { Registered } from './routes.ts'
import { serveEndpoint, type HttpDeps } from './serve.ts'
import { explainSocket, serveStream, upgradeHandler, type UpgradeRoute } from './streams.ts'

const KEEP_ALIVE_MS = 75 * SECOND_MS
const HEADERS_MS = 20 * SECOND_MS
const CHECK_MS = 2 * SECOND_MS
/** A connection on which nothing moves for so long ends; streams send something more often. */
const IDLE_MS = 120 * SECOND_MS

/** `page` is the console's, for browsers at every address that is no program's; without it there is none. */
type ServerDeps = Omit<HttpDeps, 'closing'> & { readonly page?: (() => Promise<ConsolePage>) | undefined }

/** Makes the HTTP server. @throws {Error} when an operation of the contract has no handler, or a route no declaration */
export function createServer({ page, ...given }: ServerDeps, registered: Registered): FastifyInstance {
  const { platform } = given
  // Fastify's own type of logger, so that the server keeps its ordinary type.
  const log: FastifyBaseLogger = platform.log
  const server = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => platform.newId('req'),
    bodyLimit: BODY_LIMIT_BYTES,
    trustProxy: platform.settings.trustedProxies.length > 0 ? [...platform.settings.trustedProxies] : false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionTimeout: IDLE_MS,
    forceCloseConnections: 'idle',
    // A request that comes while the server closes is still answered; its connection ends with it.
    return503OnClosing: false,
    http: {
      maxHeaderSize: HEADER_LIMIT_BYTES,
      headersTimeout: HEADERS_MS,
      connectionsCheckingInterval: CHECK_MS,
    },
    routerOptions: { maxParamLength: 256 },
    frameworkErrors: (thrown, request, reply) => {
      reply.headers(SAFE_HEADERS).header('slipway-request-id', request.id)
      void refuse(reply, unroutable(thrown.code, request.url), request.id)
    },
    clientErrorHandler: (thrown, socket) =>
      refuseConnection(socket, unreadable(systemCodeOf(thrown)), platform.newId('req')),
  })
  const deps: HttpDeps = { ...given, closing: closeInOrder(server, platform.clock) }
  acceptJsonOnly(server, platform.clock)
  guardEveryRequest(server, deps)
  refuseInOneForm(server, deps, page)
  addRoutes(server, deps, registered)
  return server
}

/** What the router makes of a path that it cannot decode. */
function unroutable(code: string, url: string): AppError {
  return code === 'FST_ERR_BAD_URL'
    ? httpErrors.input_invalid({ part: 'path', problem: 'it is not a valid address' })
    : httpErrors.route_unknown({ method: '', path: url.slice(0, 200) })
}

/** What is wrong with bytes that are no request, or not a whole one in time. */
function unreadable(code: string | undefined): AppError {
  if (code === 'HPE_HEADER_OVERFLOW') return httpErrors.headers_too_large({ maxBytes: HEADER_LIMIT_BYTES })
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return httpErrors.headers_too_slow({ seconds: HEADERS_MS / SECOND_MS })
  return httpErrors.request_unreadable()
}

function guardEveryRequest(server: FastifyInstance, { platform }: HttpDeps): void {
  const headers = { ...SAFE_HEADERS, ...transportHeaders(platform.settings) }
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(headers).header('slipway-request-id', request.id)
    // A page at 127.0.0.1 would not get the session, which belongs to the one public name.
    const elsewhere = redirectOf(platform.settings, request.headers)
    // Joined as text: resolved as an address, `//example.com` would lead there.
    if (elsewhere !== undefined && request.method === 'GET' && request.url.startsWith('/'))
      return reply.redirect(`${elsewhere}${request.url}`)
    if (!isKnownHost(platform.settings, request.headers.host))
      throw httpErrors.host_unknown({ url: publicUrlOf(platform.settings).origin })
    return undefined
  })
  server.addHook('onResponse', async (request, reply) => {
    platform.log.debug(
      {
        requestId: request.id,
        method: request.method,
        route: request.routeOptions.url,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      'request',
    )
  })
}

function refuseInOneForm(server: FastifyInstance, { platform }: HttpDeps, page: ServerDeps['page']): void {
  server.setErrorHandler(async (thrown, request, reply) => {
    const refusal = refusalOf(thrown)
    if (refusal.status >= 500)
      logFailure(platform.log, thrown, {
        message: 'a request failed',
        requestId: request.id,
        route: request.routeOptions.url,
      })
    return refuse(reply, refusal, request.id)
  })
  server.setNotFoundHandler(async (request, reply) => {
    const isPage = ['GET', 'HEAD'].includes(request.method) && !isForPrograms(request.url)
    if (page && isPage && request.headers.accept?.includes('text/html')) {
      const { html, headers } = await page()
      return reply.code(200).headers(headers).send(html)
    }
    throw httpErrors.route_unknown({
      method: request.method,
      path: request.url.split('?')[0]?.slice(0, 200) ?? '',
    })
  })
}

function refuse(reply: FastifyReply, refusal: AppError, requestId: string): FastifyReply {
  return reply
    .code(refusal.status)
    .headers(refusalHeaders(refusal))
    .type('application/json')
    .send(errorBody(refusal, requestId))
}

function addRoutes(server: FastifyInstance, deps: HttpDeps, registered: Registered): void {
  const declared = new Set<string>()
  // The last wall: a route that nobody declared stops the start, whoever added it.
  server.addHook('onRoute', (route) => {
    const methods = Array.isArray(route.method) ? route.method : [route.method]
    for (const method of methods)
      if (method !== 'HEAD' && !declared.has(`${method} ${route.url}`))
        throw new Error(`route ${method} ${route.url} is not declared in the contract`)
  })
  const upgrades: UpgradeRoute[] = []
  for (const [name, operation] of Object.entries<Endpoint | Stream | Protocol>(contract)) {
    if (operation.kind === 'protocol')
      addProtocol(server, deps, { name, protocol: operation, registered, declared })
    else if (operation.kind === 'endpoint')
      addEndpoint(server, deps, { name, endpoint: operation, registered, declared })
    else {
      const handler = registered.streams.get(operation)
      if (!handler) throw new Error(`stream ${name} has no handler`)
      declared.add(`${operation.method} ${operation.path}`)
      if (operation.transport === 'websocket') {
        upgrades.push({ stream: operation, handler, match: matcherOf(operation.path) })
        server.get(operation.path, { exposeHeadRoute: false }, explainSocket(deps, operation))
      } else {
        withRawBody(server, (scope) =>
          scope.route({
            method: operation.method,
            url: operation.path,
            exposeHeadRoute: false,
            handler: serveStream(deps, operation, handler),
          }),
        )
      }
    }
  }
  const upgrade = upgradeHandler(deps, upgrades)
  const http: Server = server.server
  http.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    void upgrade(request, socket, head)
  })
}

/** Adds routes whose bodies are left unread, for handlers that stream them. */
function withRawBody(server: FastifyInstance, add: (scope: FastifyInstance) => void): void {
  void server.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_, payload, done) => done(null, payload))
    add(scope)
  })
}

type Added<T> = { readonly name: string; readonly registered: Registered; readonly declared: Set<string> } & T

function addEndpoint(
  server: FastifyInstance,
  deps: HttpDeps,
  { name, endpoint, registered, declared }: Added<{ endpoint: Endpoint }>,
): void {
  const handler = registered.endpoints.get(endpoint)
  if (!handler) throw new Error(`operation ${name} has no handler`)
  declared.add(`${endpoint.method} ${endpoint.path}`)
  server.route({
    method: endpoint.method,
    url: endpoint.path,
    exposeHeadRoute: false,
    ...(endpoint.bodyLimitBytes === undefined ? {} : { bodyLimit: endpoint.bodyLimitBytes }),
    handler: serveEndpoint(deps, endpoint, handler),
  })
}

function addProtocol(
  server: FastifyInstance,
  deps: HttpDeps,
  { name, protocol, registered, declared }: Added<{ protocol: Protocol }>,
): void {
  const handler = registered.protocols.get(protocol)
  if (!handler) throw new Error(`protocol ${name} has no handler`)
  const methods = [...new Set(protocol.operations.flatMap((operation) => operation.methods))]
  const url = `${protocol.prefix}*`
  for (const method of methods) declared.add(`${method} ${url}`)
  withRawBody(server, (scope) =>
    scope.route({
      method: methods,
      url,
      exposeHeadRoute: false,
      handler: serveProtocol(publicUrlOf(deps.platform.settings).origin, handler),
    }),
  )
}

/** Matches paths such as `/v1/instances/:instance/terminal`. */
function matcherOf(pattern: string): UpgradeRoute['match'] {
  const parts = pattern.split('/')
  return (path) => {
    const given = path.split('/')
    if (given.length !== parts.length) return undefined
    const params: Record<string, string> = {}
    for (const [index, part] of parts.entries()) {
      const value = given[index] ?? ''
      if (part.startsWith(':')) params[part.slice(1)] = value
      else if (part !== value) return undefined
    }
    return params
  }
}
