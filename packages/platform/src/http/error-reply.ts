import type { Duplex } from 'node:stream'

import type { ErrorBody } from '@slipway/contract'
import type { AppError } from '@slipway/kit'
import { errorText } from '@slipway/messages'

/** What every answer carries, whatever it is. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
}

/** The body of a refusal, with the English text for those who read it raw. */
export function errorBody(refusal: AppError, requestId: string): ErrorBody {
  return {
    error: {
      code: refusal.code,
      message: errorText('en', refusal.code, refusal.params),
      params: { ...refusal.params },
      requestId,
    },
  }
}

/** Headers that a refusal has beside the safe ones. */
export function refusalHeaders(refusal: AppError): Readonly<Record<string, string>> {
  return {
    ...(refusal.retryAfterSeconds === undefined ? {} : { 'retry-after': String(refusal.retryAfterSeconds) }),
    ...(refusal.status === 401 ? { 'www-authenticate': 'Bearer realm="slipway"' } : {}),
  }
}

/** Writes a refusal to a connection on which no request is being answered, and ends it. */
export function refuseConnection(socket: Duplex, refusal: AppError, requestId: string): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const body = JSON.stringify(errorBody(refusal, requestId))
  const headers = {
    ...SAFE_HEADERS,
    ...refusalHeaders(refusal),
    'slipway-request-id': requestId,
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${refusal.status} Refused\r\n${lines.join('')}\r\n${body}`, () => socket.destroy())
}
