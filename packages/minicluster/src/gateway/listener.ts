import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'

import { type Clock, HOUR_MS, MINUTE_MS, SECOND_MS } from '@slipway/kit'

import type { Log } from '../model.ts'
import type { Address, Origin } from './headers.ts'
import { answer } from './page.ts'
import type { PortPlan } from './plan.ts'
import { type ProxyParts, proxyRequest } from './proxy.ts'
import { findRule, type Found, hostFits } from './table.ts'
import { proxyUpgrade, refuse } from './upgrade.ts'

/** One bound port. Its routing is swapped as a whole; requests under way keep the rule they began with. */
export type Listener = {
  readonly port: number
  readonly setRouting: (listeners: PortPlan['listeners']) => void
  /** Takes no more connections, lets requests under way finish for at most `drainMs`, then closes what is left. */
  readonly close: (drainMs: number) => Promise<void>
}

const CONNECTIONS_MAX = 20_000
const UNROUTED = { namespace: '', route: '', backend: '', code: '4xx' }

/**
 * Binds a port.
 * @param port - 0 for any free one
 * @throws {Error} the system's, when it cannot be bound
 */
export async function openListener(
  parts: ProxyParts & { readonly log: Log },
  address: string,
  port: number,
): Promise<Listener> {
  let routing: PortPlan['listeners'] = []
  const upgraded = new Set<Duplex>()
  const server = createServer({
    maxHeaderSize: 32 * 1024,
    headersTimeout: 30 * SECOND_MS,
    // Bodies and answers may be long streams; silence is bounded below.
    requestTimeout: 0,
    keepAliveTimeout: 75 * SECOND_MS,
    noDelay: true,
  })
  server.maxHeadersCount = 200
  server.maxConnections = CONNECTIONS_MAX
  server.setTimeout(HOUR_MS)
  const actualPort = (): number => (server.address() as AddressInfo | null)?.port ?? port

  server.on('request', (request, response) => {
    response.on('error', () => response.destroy())
    const facts = factsOf(request, actualPort())
    const found = facts && routeOf(routing, facts, request)
    if (facts && found) {
      void proxyRequest(parts, { request, response, found, ...facts })
      return
    }
    parts.metrics.record(UNROUTED, 0)
    answer(request, response, { status: 404, why: 'No application answers at this address.' })
  })
  server.on('upgrade', (request, socket, head) => {
    upgraded.add(socket)
    socket.once('close', () => upgraded.delete(socket))
    const facts = factsOf(request, actualPort())
    const found = facts && routeOf(routing, facts, request)
    if (facts && found) {
      void proxyUpgrade(parts, { request, socket, head, found, ...facts })
      return
    }
    parts.metrics.record(UNROUTED, 0)
    refuse(socket, 404, 'No application answers at this address.')
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy()
    else if (error.code === 'HPE_HEADER_OVERFLOW') refuse(socket, 431, 'The headers are larger than 32 KiB.')
    else refuse(socket, 400, 'This is not a request in the form of HTTP/1.1.')
  })

  await listen(server, address, port)
  server.on('error', (error) => parts.log('error', 'a gateway port failed', { port, error: error.message }))
  return {
    port: actualPort(),
    setRouting: (listeners) => {
      routing = listeners
    },
    close: (drainMs) => closeServer(parts.clock, server, upgraded, drainMs),
  }
}

function listen(server: Server, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: address, port, exclusive: true, backlog: 1_024 }, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
}

function closeServer(
  clock: Clock,
  server: Server,
  upgraded: ReadonlySet<Duplex>,
  drainMs: number,
): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(Math.min(drainMs, MINUTE_MS), () => {
      server.closeAllConnections()
      for (const socket of upgraded) socket.destroy()
    })
    // Upgraded connections have no end of their own; nothing is gained by waiting for them.
    for (const socket of upgraded) socket.destroy()
    server.close(() => {
      timer[Symbol.dispose]()
      resolve()
    })
    server.closeIdleConnections()
  })
}

type Facts = { readonly address: Address; readonly origin: Origin }

function factsOf(request: IncomingMessage, port: number): Facts | undefined {
  const target = request.url ?? '/'
  // A request for a proxy names the host in its target (RFC 9112, 3.2.2), and that one counts.
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(target)
  const authority = absolute ? (absolute[1] ?? '') : (request.headers.host ?? '')
  const host = hostOf(authority)
  if (host === undefined) return undefined
  const local = absolute ? absolute[2] || '/' : target
  const mark = local.indexOf('?')
  const path = resolveDots(mark < 0 ? local : local.slice(0, mark))
  const query = mark < 0 ? '' : local.slice(mark + 1)
  return {
    address: { host, port, path, query, matchedPrefix: '/' },
    origin: { clientAddress: clientOf(request.socket), host: authority, port },
  }
}

/** Lower case, without port and without the root's dot; undefined for what is no host. */
function hostOf(authority: string): string | undefined {
  const match = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9_.-]{1,253})(?::[0-9]{1,5})?$/.exec(authority.toLowerCase())
  return match?.[1]?.replace(/\.$/, '')
}

function clientOf(socket: Socket): string {
  return (socket.remoteAddress ?? 'unknown').replace(/^::ffff:/, '')
}

/** `/a/../b` reaches the rule of `/b`, as it will be understood by the application. */
function resolveDots(path: string): string {
  if (!/\/(?:\.|%2e){1,2}(?:\/|$)/i.test(path)) return path
  try {
    return new URL(path, 'http://x').pathname
  } catch {
    // Not a path at all: it matches what the plain text matches.
    return path
  }
}

function routeOf(routing: PortPlan['listeners'], facts: Facts, request: IncomingMessage): Found | undefined {
  const { host, path, query } = facts.address
  const listener = routing.find(({ hostname }) => hostFits(hostname, host))
  if (!listener) return undefined
  return findRule(listener.table, {
    host,
    path,
    query,
    method: request.method ?? 'GET',
    headers: request.headers,
  })
}
