import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'

import type { BlobWriter } from '../client/blob-writer.ts'
import { finishDigest } from '../format/digest.ts'
import { mediaTypes } from '../format/media-types.ts'
import type { ByteStream } from '../streams.ts'
import { byteReaderOf, type ByteReader } from '../tar/byte-reader.ts'
import { writeCompressed, type LayerFormat, type WrittenLayer } from './layer.ts'

export type SavedLayerOptions = {
  readonly writer: BlobWriter
  readonly format: LayerFormat
  /** Bytes it may unpack to. */
  readonly totalMaxBytes: number
  readonly refuse: (reason: string) => Error
}

/** Sends a layer of a `docker save` archive: a plain one is compressed on the way, one that is gzip already stays as it is. */
export async function receiveSavedLayer(
  content: ByteStream,
  options: SavedLayerOptions,
): Promise<WrittenLayer> {
  const reader = byteReaderOf(content)
  const head = await reader.read(2)
  const isGzip = head[0] === 0x1f && head[1] === 0x8b
  const whole = rejoin(head, reader)
  return isGzip
    ? await sendGzip(whole, options)
    : await writeCompressed(whole, options.format, options.writer)
}

async function* rejoin(head: Buffer, reader: ByteReader): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head
  for (;;) {
    const piece = await reader.readSome(1024 * 1024)
    if (piece === undefined) return
    yield piece
  }
}

/** The bytes go on unchanged; beside that they are unpacked, only to learn the diff id. */
async function sendGzip(content: ByteStream, options: SavedLayerOptions): Promise<WrittenLayer> {
  const { writer, refuse } = options
  const hash = createHash('sha256')
  const diffHash = createHash('sha256')
  const unpacker = createGunzip()
  let unpackedBytes = 0
  let sizeBytes = 0
  unpacker.on('data', (chunk: Buffer) => {
    unpackedBytes += chunk.length
    diffHash.update(chunk)
    if (unpackedBytes > options.totalMaxBytes) unpacker.destroy(new Error('too large'))
  })
  const unpacked = finished(unpacker).catch((cause: unknown) => {
    throw Object.assign(refuse('a layer is damaged gzip or unpacks to too much'), { cause })
  })
  // Awaited at the end; a failure before that must not count as unhandled.
  unpacked.catch(() => undefined)
  try {
    for await (const chunk of content) {
      hash.update(chunk)
      sizeBytes += chunk.length
      await writer.write(chunk)
      if (!unpacker.write(chunk)) await Promise.race([once(unpacker, 'drain'), unpacked])
    }
    unpacker.end()
    await unpacked
    const digest = finishDigest(hash)
    await writer.commit(digest)
    return {
      descriptor: { mediaType: mediaTypes.layerGzip, digest, size: sizeBytes },
      diffId: finishDigest(diffHash),
    }
  } catch (cause) {
    unpacker.destroy()
    await writer.abort()
    throw cause
  }
}
