import { createHash } from 'node:crypto'

import { errorOf, type Clock } from '@slipway/kit'

import { algorithmOf, finishDigest, type Digest } from './format/digest.ts'

/** Bytes in order. Whoever stops reading early ends it by leaving the `for await` loop. */
export type ByteStream = AsyncIterable<Uint8Array>

/** Reads everything; `tooLarge` makes the error when more than `sizeMaxBytes` arrive. */
export async function readAll(
  stream: ByteStream,
  sizeMaxBytes: number,
  tooLarge: () => Error,
): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of stream) {
    sizeBytes += chunk.length
    if (sizeBytes > sizeMaxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Passes bytes on and throws at the end, or as soon as there are too many, unless they are what `expected` names. */
export async function* verifiedStream(
  stream: ByteStream,
  expected: { readonly digest: Digest; readonly size: number | undefined },
  mismatch: (reason: string) => Error,
): AsyncGenerator<Uint8Array> {
  const hash = createHash(algorithmOf(expected.digest))
  let sizeBytes = 0
  for await (const chunk of stream) {
    sizeBytes += chunk.length
    if (expected.size !== undefined && sizeBytes > expected.size)
      throw mismatch('it is longer than announced')
    hash.update(chunk)
    yield chunk
  }
  if (expected.size !== undefined && sizeBytes !== expected.size)
    throw mismatch('it is shorter than announced')
  if (finishDigest(hash, algorithmOf(expected.digest)) !== expected.digest)
    throw mismatch('its digest is another one')
}

/** Throws what `silent` makes when the next bytes take longer than `idleMs`; the source is told to stop. */
export async function* guardedStream(
  stream: ByteStream,
  clock: Clock,
  idleMs: number,
  silent: () => Error,
): AsyncGenerator<Uint8Array> {
  const reader = stream[Symbol.asyncIterator]()
  let finished = false
  try {
    for (;;) {
      const next = await withDeadline(clock, idleMs, silent, () => reader.next())
      if (next.done) {
        finished = true
        return
      }
      yield next.value
    }
  } finally {
    // Not awaited: a source that hangs in `next` would hang in `return` too.
    if (!finished) void Promise.resolve(reader.return?.()).catch(errorOf)
  }
}

/** The result of `run`, or what `late` makes when that takes longer than `timeoutMs`. The signal tells `run` to stop. */
export async function withDeadline<T>(
  clock: Clock,
  timeoutMs: number,
  late: () => Error,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const expired = Promise.withResolvers<never>()
  using _timer = clock.after(timeoutMs, () => {
    const error = late()
    expired.reject(error)
    controller.abort(error)
  })
  return await Promise.race([run(controller.signal), expired.promise])
}
