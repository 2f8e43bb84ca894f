import type { Server } from 'node:http'

import {
  BODY_LIMIT_BYTES,
  contract,
  HEADER_LIMIT_BYTES,
  type Endpoint,
  type Protocol,
  type Stream,
} from '@slipway/contract'
import { parseJson, SECOND_MS } from '@slipway/kit'
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'

import { isKnownHost, publicUrlOf, redirectOf } from './browser.ts'
import { errorBody } from './error-reply.ts'
import { httpErrors } from './errors.ts'
import { refusalOf } from './parse.ts'
import { serveProtocol } from './protocol.ts'
import type { Registered } from './routes.ts'
import { serveEndpoint, type HttpDeps } from './serve.ts'
import { serveStream, upgradeHandler, type UpgradeRoute } from './streams.ts'

const KEEP_ALIVE_MS = 75 * SECOND_MS
const HEADERS_MS = 20 * SECOND_MS

/** Makes the HTTP server. @throws {Error} when an operation of the contract has no handler, or a route no declaration */
export function createServer(deps: HttpDeps, registered: Registered): FastifyInstance {
  const { platform } = deps
  // Fastify's own type of logger, so that the server keeps its ordinary type.
  const log: FastifyBaseLogger = platform.log
  const server = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => platform.newId('req'),
    bodyLimit: BODY_LIMIT_BYTES,
    trustProxy: platform.settings.trustedProxies.length > 0 ? [...platform.settings.trustedProxies] : false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: true,
    http: { maxHeaderSize: HEADER_LIMIT_BYTES, headersTimeout: HEADERS_MS },
    routerOptions: { maxParamLength: 256 },
  })
  acceptJsonOnly(server)
  guardEveryRequest(server, deps)
  refuseInOneForm(server, deps)
  addRoutes(server, deps, registered)
  return server
}

function acceptJsonOnly(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (_, body, done) => {
    try {
      done(null, body === '' ? undefined : parseJson(String(body)))
    } catch (thrown) {
      done(thrown as Error)
    }
  })
}

const HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
}

function guardEveryRequest(server: FastifyInstance, { platform }: HttpDeps): void {
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS).header('slipway-request-id', request.id)
    // A page at 127.0.0.1 would not get the session, which belongs to the one public name.
    const elsewhere = redirectOf(platform.settings, request.headers)
    if (elsewhere !== undefined && request.method === 'GET')
      return reply.redirect(new URL(request.url, elsewhere).href)
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

function refuseInOneForm(server: FastifyInstance, { platform }: HttpDeps): void {
  server.setErrorHandler(async (thrown, request, reply) => {
    const found = refusalOf(thrown)
    const refusal =
      found.code === 'body_too_large'
        ? httpErrors.body_too_large({ maxBytes: request.routeOptions.bodyLimit ?? BODY_LIMIT_BYTES })
        : found
    if (refusal.status >= 500)
      platform.log.error(
        { err: thrown, requestId: request.id, route: request.routeOptions.url },
        'a request failed',
      )
    if (refusal.retryAfterSeconds !== undefined)
      reply.header('retry-after', String(refusal.retryAfterSeconds))
    if (refusal.status === 401) reply.header('www-authenticate', 'Bearer realm="slipway"')
    return reply.code(refusal.status).type('application/json').send(errorBody(refusal, request.id))
  })
  server.setNotFoundHandler(async (request) => {
    throw httpErrors.route_unknown({
      method: request.method,
      path: request.url.split('?')[0]?.slice(0, 200) ?? '',
    })
  })
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
      if (operation.transport === 'websocket')
        upgrades.push({ stream: operation, handler, match: matcherOf(operation.path) })
      else {
        declared.add(`${operation.method} ${operation.path}`)
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
