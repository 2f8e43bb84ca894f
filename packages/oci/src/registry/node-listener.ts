import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { systemCodeOf } from '@slipway/kit'

/**
 * Serves a function from request to response by `node:http`, streaming both ways; a client that goes away aborts the request's signal.
 * @param baseUrl - origin for the request's address; the Host header is used when it is left out
 */
export function nodeListener(
  handler: (request: Request) => Promise<Response>,
  baseUrl?: string,
): RequestListener {
  return (incoming, outgoing) => {
    void serve(handler, incoming, outgoing, baseUrl).catch(() => {
      // The connection is gone or the address was no address: nobody is left to be told more.
      if (!outgoing.headersSent) outgoing.writeHead(400)
      outgoing.end()
    })
  }
}

async function serve(
  handler: (request: Request) => Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  baseUrl: string | undefined,
): Promise<void> {
  const gone = new AbortController()
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) gone.abort(new Error('the client went away'))
  })
  const response = await handler(requestOf(incoming, gone.signal, baseUrl))
  outgoing.writeHead(response.status, headersOf(response))
  if (response.body === null) {
    outgoing.end()
    return
  }
  try {
    await pipeline(Readable.fromWeb(response.body), outgoing)
  } catch (cause) {
    if (systemCodeOf(cause) !== 'ERR_STREAM_PREMATURE_CLOSE') outgoing.destroy()
  }
}

function requestOf(incoming: IncomingMessage, signal: AbortSignal, baseUrl: string | undefined): Request {
  const method = incoming.method ?? 'GET'
  const headers = new Headers()
  for (let index = 0; index + 1 < incoming.rawHeaders.length; index += 2)
    headers.append(incoming.rawHeaders[index] ?? '', incoming.rawHeaders[index + 1] ?? '')
  const url = new URL(incoming.url ?? '/', baseUrl ?? `http://${incoming.headers.host ?? 'localhost'}`)
  if (method === 'GET' || method === 'HEAD') return new Request(url, { method, headers, signal })
  const body = Readable.toWeb(incoming) as ReadableStream<Uint8Array>
  return new Request(url, { method, headers, signal, body, duplex: 'half' })
}

function headersOf(response: Response): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {}
  for (const [name, value] of response.headers) headers[name] = value
  return headers
}
