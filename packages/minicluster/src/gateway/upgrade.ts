import { type IncomingMessage, request as startRequest, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

import type { HttpRouteFilter } from '../model.ts'
import { type Address, type Origin, requestHeaders, responseHeaders, rewrittenTarget } from './headers.ts'
import { chooseBackend, chooseEndpoint, type ProxyParts } from './proxy.ts'
import type { Found } from './table.ts'

export type Upgrade = {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
  readonly found: Found
  readonly address: Address
  readonly origin: Origin
}

const ATTEMPTS_MAX = 4
const ANSWER_TIMEOUT_MS = 60_000

/** Passes an upgrade (WebSocket) on; from then on both sides talk over one pipe until either closes it. */
export async function proxyUpgrade(parts: ProxyParts, upgrade: Upgrade): Promise<void> {
  const { request, socket, found } = upgrade
  const startedMs = parts.clock.monotonicMs()
  socket.on('error', () => socket.destroy())
  const choice = chooseBackend(parts.rotation, found)
  const record = (status: number, backend: string): void =>
    parts.metrics.record(
      {
        namespace: found.rule.namespace,
        route: found.rule.route,
        backend,
        code: `${Math.floor(status / 100)}xx`,
      },
      (parts.clock.monotonicMs() - startedMs) / 1000,
    )
  if (choice.kind === 'answer') {
    record(choice.status, choice.backend)
    refuse(socket, choice.status, choice.why)
    return
  }
  const tried = new Set<string>()
  const filters = [...found.rule.filters, ...choice.backend.filters]
  while (tried.size < ATTEMPTS_MAX && !socket.destroyed) {
    const endpoint = chooseEndpoint(parts, choice.backend, tried)
    if (!endpoint) break
    tried.add(endpoint.key)
    const status = await connect(parts, upgrade, { address: endpoint.address, port: endpoint.port, filters })
    if (status === undefined) continue
    record(status, choice.backend.name)
    return
  }
  // A handshake has no effect before it is answered, so each attempt was free to fail.
  const status = tried.size === 0 ? 503 : 502
  record(status, choice.backend.name)
  refuse(
    socket,
    status,
    status === 503
      ? 'No instance of the application is ready.'
      : `The application closed the connection without an answer.`,
  )
  request.destroy()
}

type Target = {
  readonly address: string
  readonly port: number
  readonly filters: readonly HttpRouteFilter[]
}

/** Resolves to the status the client was given, or undefined when this instance did not answer at all. */
function connect(parts: ProxyParts, upgrade: Upgrade, target: Target): Promise<number | undefined> {
  const { request, socket, head, origin, address } = upgrade
  return new Promise((resolve) => {
    const upstream = startRequest({
      host: target.address,
      port: target.port,
      method: request.method ?? 'GET',
      path: rewrittenTarget(request.url ?? '/', address, target.filters),
      headers: requestHeaders(request.rawHeaders, origin, {
        hasBody: false,
        upgrade: request.headers.upgrade ?? 'websocket',
        filters: target.filters,
      }),
      agent: false,
      setHost: false,
    })
    const timer = parts.clock.after(ANSWER_TIMEOUT_MS, () => upstream.destroy(new Error('timed out')))
    const onClientGone = (): void => void upstream.destroy()
    socket.once('close', onClientGone)
    upstream.once('upgrade', (response, upstreamSocket, upstreamHead) => {
      timer[Symbol.dispose]()
      const lines = headLines(response, target.filters, [
        `Connection: Upgrade`,
        `Upgrade: ${response.headers.upgrade ?? ''}`,
      ])
      socket.write(lines)
      if (upstreamHead.length > 0) socket.write(upstreamHead)
      if (head.length > 0) upstreamSocket.write(head)
      upstreamSocket.on('error', () => socket.destroy())
      upstreamSocket.once('close', () => socket.destroy())
      socket.once('close', () => upstreamSocket.destroy())
      upstreamSocket.pipe(socket)
      socket.pipe(upstreamSocket)
      resolve(101)
    })
    upstream.once('response', (response) => {
      timer[Symbol.dispose]()
      // Refused by the application: its answer goes to the client, and the connection ends with it.
      socket.write(headLines(response, target.filters, ['Connection: close']))
      response.pipe(socket)
      resolve(response.statusCode ?? 502)
    })
    upstream.once('error', () => {
      timer[Symbol.dispose]()
      socket.removeListener('close', onClientGone)
      resolve(undefined)
    })
    upstream.end()
  })
}

function headLines(
  response: IncomingMessage,
  filters: readonly HttpRouteFilter[],
  more: readonly string[],
): string {
  const raw = responseHeaders(response.rawHeaders, filters)
  const lines = [`HTTP/1.1 ${response.statusCode ?? 502} ${response.statusMessage ?? ''}`]
  for (let index = 0; index + 1 < raw.length; index += 2)
    lines.push(`${raw[index] ?? ''}: ${raw[index + 1] ?? ''}`)
  return `${[...lines, ...more].join('\r\n')}\r\n\r\n`
}

/** Answers on the bare socket of an upgrade and closes it. */
export function refuse(socket: Duplex, status: number, why: string): void {
  const body = `${status} ${STATUS_CODES[status] ?? ''}: ${why}\n`
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
