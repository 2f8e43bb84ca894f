/*
 * The agent's end of a stream: HTTP/1.1 of the platform, forwarded to the API server over TLS with the ServiceAccount's token,
 * which so never leaves the cluster. Nothing else can be reached: the address is the agent's own setting.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http'
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import type { Duplex } from 'node:stream'

import { messageOf } from '@slipway/kit'

export type ApiServer = {
  readonly host: string
  readonly port: number
  /** PEM; without it the system's roots are trusted. */
  readonly certificateAuthority: string | undefined
  /** The newest token of the ServiceAccount; the kubelet renews it. */
  readonly readToken: () => Promise<string>
}

export type Forwarder = Disposable & { readonly serve: (stream: Duplex) => void }

const IDLE_MS = 60_000
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

export function openForwarder(api: ApiServer): Forwarder {
  const agent = new Agent({
    keepAlive: true,
    timeout: IDLE_MS,
    minVersion: 'TLSv1.2',
    ...(api.certificateAuthority !== undefined && { ca: api.certificateAuthority }),
  })

  async function optionsFor(request: IncomingMessage, extra: IncomingHttpHeaders): Promise<RequestOptions> {
    const kept = Object.entries(request.headers).filter(([name]) => !OWN_HEADERS.has(name))
    return {
      agent,
      host: api.host,
      port: api.port,
      method: request.method ?? 'GET',
      path: request.url ?? '/',
      headers: {
        ...Object.fromEntries(kept),
        ...extra,
        authorization: `Bearer ${await api.readToken()}`,
      },
    }
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
    void forward(request, response).catch((error: unknown) => refuse(response, error))
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
  response.writeHead(502, { 'content-type': 'application/json' }).end(refusalBody(messageOf(error)))
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
