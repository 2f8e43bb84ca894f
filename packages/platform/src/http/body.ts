import type { Readable } from 'node:stream'

import { BODY_LIMIT_BYTES } from '@slipway/contract'
import { parseJson, SECOND_MS, type Clock } from '@slipway/kit'
import type { FastifyInstance, FastifyRequest } from 'fastify'

import { httpErrors } from './errors.ts'

/** A JSON body has arrived whole within this time, or is refused. */
export const BODY_MS = 30 * SECOND_MS
/** What is left of a refused body is thrown away for this long, so that the sender can read why; then the connection ends. */
const LINGER_MS = 5 * SECOND_MS

/** Makes JSON the only media type, with a limit on size, depth and time. */
export function acceptJsonOnly(server: FastifyInstance, clock: Clock): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('application/json', async (request: FastifyRequest, payload: Readable) => {
    const limitBytes = request.routeOptions.bodyLimit ?? BODY_LIMIT_BYTES
    if (Number(request.headers['content-length'] ?? 0) > limitBytes)
      throw httpErrors.body_too_large({ maxBytes: limitBytes })
    const bytes = await readBody(payload, limitBytes, clock)
    return bytes.length === 0 ? undefined : valueOf(textOf(bytes))
  })
  // Whoever was answered before all was sent must not hold the connection by going on for ever.
  server.addHook('onResponse', async ({ raw }) => {
    if (!raw.complete && !raw.socket.destroyed)
      clock.after(LINGER_MS, () => {
        if (!raw.complete) raw.socket.destroy()
      })
  })
}

/** Bytes that are not UTF-8 would become other text than was sent. */
function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw httpErrors.input_invalid({ part: 'body', problem: 'it is not UTF-8' }, { cause })
  }
}

/** Escapes can write half a character, which neither UTF-8 nor the database can hold. */
function valueOf(text: string): unknown {
  const value = parseJson(text)
  if (/\\u[dD][89a-fA-F]/u.test(text)) refuseHalfCharacters(value)
  return value
}

function refuseHalfCharacters(value: unknown): void {
  if (typeof value === 'string' && !value.isWellFormed())
    throw httpErrors.input_invalid({ part: 'body', problem: 'it contains half a character' })
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    refuseHalfCharacters(key)
    refuseHalfCharacters(inner)
  }
}

/** Reads to the end without ever destroying the stream: its connection still has to carry the answer. */
function readBody(payload: Readable, limitBytes: number, clock: Clock): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let sizeBytes = 0
    const deadline = clock.after(BODY_MS, () =>
      settle(() => reject(httpErrors.body_too_slow({ seconds: BODY_MS / SECOND_MS }))),
    )
    function onData(chunk: Buffer): void {
      sizeBytes += chunk.length
      if (sizeBytes > limitBytes) settle(() => reject(httpErrors.body_too_large({ maxBytes: limitBytes })))
      else chunks.push(chunk)
    }
    const onEnd = (): void => settle(() => resolve(Buffer.concat(chunks, sizeBytes)))
    const onError = (cause: Error): void =>
      settle(() => reject(httpErrors.input_invalid({ part: 'body', problem: 'it broke off' }, { cause })))
    function settle(finish: () => void): void {
      deadline[Symbol.dispose]()
      payload.off('data', onData).off('end', onEnd).off('error', onError)
      // A late error of a stream that nobody listens to would end the process.
      payload.on('error', () => undefined)
      payload.resume()
      finish()
    }
    payload.on('data', onData).on('end', onEnd).on('error', onError)
  })
}
