import type { ByteStream } from '../streams.ts'

/** Reads a stream in pieces of a wanted length without copying more than a piece. */
export type ByteReader = {
  /** Exactly `sizeBytes`, fewer only at the end of the stream. */
  readonly read: (sizeBytes: number) => Promise<Buffer>
  /** The next bytes, at most `sizeMaxBytes`; undefined at the end. */
  readonly readSome: (sizeMaxBytes: number) => Promise<Uint8Array | undefined>
  /** Tells the source that nobody will read on. */
  readonly close: () => Promise<void>
}

export function byteReaderOf(source: ByteStream): ByteReader {
  const iterator = source[Symbol.asyncIterator]()
  let rest: Uint8Array = new Uint8Array(0)
  let ended = false

  async function readSome(sizeMaxBytes: number): Promise<Uint8Array | undefined> {
    while (rest.length === 0) {
      if (ended) return undefined
      const next = await iterator.next()
      if (next.done) ended = true
      else rest = next.value
    }
    const piece = rest.subarray(0, sizeMaxBytes)
    rest = rest.subarray(piece.length)
    return piece
  }

  return {
    readSome,
    async read(sizeBytes) {
      const pieces: Uint8Array[] = []
      let missing = sizeBytes
      while (missing > 0) {
        const piece = await readSome(missing)
        if (piece === undefined) break
        pieces.push(piece)
        missing -= piece.length
      }
      return Buffer.concat(pieces)
    },
    async close() {
      if (!ended) await iterator.return?.()
      ended = true
      rest = new Uint8Array(0)
    },
  }
}
