/*
 * The agent's end of a stream: HTTP/1.1 of the platform, forwarded to the API server over TLS with the ServiceAccount's token,
 * which so never leaves the cluster. Nothing else can be reached but Gateways (`gateways.ts`): the address is the agent's own setting.
 */
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestListener,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http'
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import type { Duplex } from 'node:stream'

import { type Clock, messageOf } from '@slipway/kit'

import { gatewayVisits, isVisit } from './gateways.ts'

export type ApiServer = {
  readonly host: string
  readonly port: number
  /** PEM; without it the system's roots are trusted. */
  readonly certificateAuthority: string | undefined
  /** The newest token of the ServiceAccount; the kubelet renews it. */
  readonly readToken: () => Promise<string>
}

export type ForwarderOptions = {
  readonly api: ApiServer
  readonly clock: Clock
  /** Base address of a Gateway that may be asked beside those that the cluster names. */
  readonly gatewayUrl: string | undefined
}

export type Forwarder = Disposable & { readonly serve: (stream: Duplex) => void }

const IDLE_MS = 60_000
/** On an answer that is the agent's own: why the request did not get any further, percent-encoded. */
export const REFUSAL_HEADER = 'slipway-agent-refusal'
/** Belong to one connection, not to what it carries; the identity is ours to give. */
const OWN_HEADERS = new Set([
  'authorization',
  'connection',
  'host',
  'keep-alive',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

export function openForwarder({ api, clock, gatewayUrl }: ForwarderOptions): Forwarder {
  const agent = new Agent({
    keepAlive: true,
    timeout: IDLE_MS,
    minVersion: 'TLSv1.2',
    ...(api.certificateAuthority !== undefined && { ca: api.certificateAuthority }),
  })

  const visits = gatewayVisits(clock, askApi, gatewayUrl)

  async function optionsFor(
    request: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
    extra: OutgoingHttpHeaders,
  ): Promise<RequestOptions> {
    const kept = Object.entries(request.headers).filter(([name]) => !OWN_HEADERS.has(name))
    const authorization = `Bearer ${await api.readToken()}`
    return {
      agent,
      host: api.host,
      port: api.port,
      method: request.method ?? 'GET',
      path: request.url ?? '/',
      headers: { ...Object.fromEntries(kept), ...extra, authorization },
    }
  }

  async function askApi(url: string): Promise<IncomingMessage> {
    const options = await optionsFor({ method: 'GET', url, headers: {} }, {})
    return await new Promise((resolve, reject) => {
      httpsRequest(options, resolve).once('error', reject).end()
    })
  }

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const isChunked = request.headers['transfer-encoding'] !== undefined
    const sent = httpsRequest(await optionsFor(request, isChunked ? { 'transfer-encoding': 'chunked' } : {}))
    response.once('close', () => sent.destroy())
    sent.once('error', (error) => refuse(response, error))
    sent.once('response', (answer) => {
      const kept = Object.entries(answer.headers).filter(([name]) => !OWN_HEADERS.has(name))
      response.writeHead(answer.statusCode ?? 502, Object.fromEntries(kept))
      response.flushHeaders()
      // A broken answer must not look like a complete one.
      answer.once('error', () => response.destroy())
      answer.once('aborted', () => response.destroy())
      answer.pipe(response)
    })
    request.pipe(sent)
  }

  async function upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    const { upgrade: protocol = '' } = request.headers
    const sent = httpsRequest(await optionsFor(request, { connection: 'Upgrade', upgrade: protocol }))
    stream.once('close', () => sent.destroy())
    sent.once('error', (error) => stream.end(plainAnswer(502, messageOf(error))))
    sent.once('response', (answer) => {
      stream.write(headOf(answer))
      answer.pipe(stream)
    })
    sent.once('upgrade', (answer, socket, first) => {
      stream.write(headOf(answer))
      if (first.length > 0) stream.write(first)
      if (head.length > 0) socket.write(head)
      stream.pipe(socket).pipe(stream)
      stream.once('close', () => socket.destroy())
      socket.once('close', () => stream.destroy())
      socket.on('error', () => stream.destroy())
    })
    sent.end()
  }

  const onRequest: RequestListener = (request, response) => {
    const serve = isVisit(request) ? visits.visit : forward
    void serve(request, response).catch((error: unknown) => refuse(response, error))
  }
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: IDLE_MS }, onRequest)
  server.on('clientError', (_, stream) => stream.destroy())
  server.on('upgrade', (request, stream, head) => {
    stream.on('error', () => stream.destroy())
    void upgrade(request, stream, head).catch((error: unknown) =>
      stream.end(plainAnswer(502, messageOf(error))),
    )
  })
  return {
    serve: (stream) => void server.emit('connection', stream),
    [Symbol.dispose]() {
      server.close()
      agent.destroy()
    },
  }
}

/** As the API server words its own refusals, so that the platform reads it in the same way. */
function refusalBody(why: string): string {
  const message = `the agent does not reach the API server: ${why}`
  return JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code: 502 })
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const why = messageOf(error).slice(0, 300)
  const headers = { 'content-type': 'application/json', [REFUSAL_HEADER]: encodeURIComponent(why) }
  response.writeHead(502, headers).end(refusalBody(why))
}

function plainAnswer(code: number, why: string): string {
  const body = refusalBody(why)
  const length = Buffer.byteLength(body)
  return `HTTP/1.1 ${code} ${STATUS_CODES[code] ?? ''}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n${body}`
}

/** The head of an answer as it came, for a stream that is no HTTP connection any more. */
function headOf(answer: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${answer.statusCode ?? 502} ${answer.statusMessage ?? ''}`]
  for (let at = 0; at + 1 < answer.rawHeaders.length; at += 2) {
    const name = answer.rawHeaders[at] ?? ''
    // The body is passed on without its chunks, and ends with the stream.
    if (name.toLowerCase() !== 'transfer-encoding') lines.push(`${name}: ${answer.rawHeaders[at + 1] ?? ''}`)
  }
  return `${lines.join('\r\n')}\r\n\r\n`
}
