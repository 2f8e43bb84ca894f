import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { constants, createGzip, createZstdCompress, type Gzip, type ZstdCompress } from 'node:zlib'

import type { BlobWriter } from '../client/blob-writer.ts'
import { finishDigest, type Digest } from '../format/digest.ts'
import type { Descriptor } from '../format/manifest.ts'
import { mediaTypes } from '../format/media-types.ts'
import type { ByteStream } from '../streams.ts'
import { tarHeader, tarPadding, TAR_END, type TarMember } from '../tar/write.ts'

/*
 * One layer, written in a single pass: tar → diffID → compress → digest → upload. Nothing of it is held in memory; the
 * upload's pace slows the whole chain down.
 */
export type LayerMember = TarMember & { readonly content: () => ByteStream }

export type WrittenLayer = { readonly descriptor: Descriptor; readonly diffId: Digest }

export type LayerFormat = 'zstd' | 'gzip'

const ZSTD_LEVEL = 3
const GZIP_LEVEL = 1
const CHUNK_BYTES = 256 * 1024
const GZIP_SYSTEM_OFFSET = 9
const GZIP_SYSTEM_UNKNOWN = 255

/** @param members - in the order they are to stand in, folders before what lies in them */
export async function writeLayer(
  members: Iterable<LayerMember>,
  format: LayerFormat,
  writer: BlobWriter,
): Promise<WrittenLayer> {
  return await writeCompressed(tarOf(members), format, writer)
}

/** Compresses a ready tar; the diff id is that of `tar` as it comes. */
export async function writeCompressed(
  tar: ByteStream,
  format: LayerFormat,
  writer: BlobWriter,
): Promise<WrittenLayer> {
  const diffHash = createHash('sha256')
  const hash = createHash('sha256')
  let sizeBytes = 0
  try {
    for await (const chunk of compress(hashed(tar, diffHash), format)) {
      hash.update(chunk)
      sizeBytes += chunk.length
      await writer.write(chunk)
    }
    const digest = finishDigest(hash)
    await writer.commit(digest)
    const mediaType = format === 'zstd' ? mediaTypes.layerZstd : mediaTypes.layerGzip
    return { descriptor: { mediaType, digest, size: sizeBytes }, diffId: finishDigest(diffHash) }
  } catch (cause) {
    await writer.abort()
    throw cause
  }
}

async function* tarOf(members: Iterable<LayerMember>): AsyncGenerator<Uint8Array> {
  for (const member of members) {
    yield tarHeader(member)
    if (member.kind !== 'file') continue
    yield* member.content()
    yield tarPadding(member.sizeBytes)
  }
  yield TAR_END
}

async function* hashed(
  stream: ByteStream,
  hash: { readonly update: (chunk: Uint8Array) => unknown },
): AsyncGenerator<Uint8Array> {
  let gathered: Uint8Array[] = []
  let gatheredBytes = 0
  for await (const chunk of stream) {
    if (chunk.length === 0) continue
    hash.update(chunk)
    gathered.push(chunk)
    gatheredBytes += chunk.length
    if (gatheredBytes < CHUNK_BYTES) continue
    // Thousands of small files would otherwise mean thousands of trips to the compressor.
    yield Buffer.concat(gathered)
    gathered = []
    gatheredBytes = 0
  }
  if (gatheredBytes > 0) yield Buffer.concat(gathered)
}

async function* compress(stream: ByteStream, format: LayerFormat): AsyncGenerator<Uint8Array> {
  const packer: Gzip | ZstdCompress =
    format === 'zstd'
      ? createZstdCompress({
          chunkSize: CHUNK_BYTES,
          params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL },
        })
      : createGzip({ level: GZIP_LEVEL, chunkSize: CHUNK_BYTES })
  const input = Readable.from(stream, { objectMode: false, highWaterMark: CHUNK_BYTES })
  input.once('error', (error) => packer.destroy(error))
  input.pipe(packer)
  let isFirst = format === 'gzip'
  try {
    for await (const piece of packer) {
      const chunk = piece as Buffer
      // The header names the operating system; a layer must not depend on where it was made.
      if (isFirst) chunk[GZIP_SYSTEM_OFFSET] = GZIP_SYSTEM_UNKNOWN
      isFirst = false
      yield chunk
    }
  } finally {
    input.destroy()
    packer.destroy()
  }
}
