import { Readable } from 'node:stream'

import type { FastifyReply, FastifyRequest } from 'fastify'

import { httpErrors } from './errors.ts'
import type { ProtocolHandler } from './routes.ts'

/** Lets a handler of web-standard requests and responses answer below a prefix, streaming both ways. */
export function serveProtocol(origin: string, handler: ProtocolHandler) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const gone = new AbortController()
    reply.raw.once('close', () => gone.abort(httpErrors.caller_gone()))
    const hasBody = request.method !== 'GET' && request.method !== 'HEAD'
    const webRequest = new Request(new URL(request.url, origin), {
      method: request.method,
      headers: headersOf(request),
      signal: gone.signal,
      // Half duplex is what fetch's Request asks for when the body is a stream.
      ...(hasBody ? { body: Readable.toWeb(request.raw), duplex: 'half' } : {}),
    })
    const response = await handler(webRequest, { address: request.ip })
    reply.code(response.status)
    for (const [name, value] of response.headers) reply.header(name, value)
    if (response.body === null || request.method === 'HEAD') return reply.send()
    return reply.send(Readable.fromWeb(response.body))
  }
}

function headersOf(request: FastifyRequest): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers)) {
    // The session of a browser means nothing here, so a page cannot use it.
    if (name === 'cookie' || value === undefined) continue
    for (const one of Array.isArray(value) ? value : [value]) headers.append(name, one)
  }
  return headers
}
