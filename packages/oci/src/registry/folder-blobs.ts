import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, opendir, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'

import { errorOf } from '@slipway/kit'
import { absent } from '@slipway/kit/files'

import { algorithmOf, finishDigest, isDigest, type Digest, type DigestAlgorithm } from '../format/digest.ts'
import type { ByteStream } from '../streams.ts'
import { blobPlace, quarantinePlace, rememberedUploads, uploadPlace } from './blob-places.ts'
import type { BlobRange, BlobStore } from './ports.ts'

/*
 * Blobs in a folder, which several nodes may share:
 *   blobs/<algorithm>/<first two hex>/<hex>    complete, fsynced, never written again
 *   uploads/<id>                               growing; becomes a blob by rename
 *   quarantine/<algorithm>-<hex>
 *
 * The hash runs while bytes arrive and is remembered by this process. After a restart, on another node, or when the closing
 * request names another algorithm, the file is hashed again.
 */
const GATHER_BYTES = 1024 * 1024
const READ_BYTES = 256 * 1024

type Running = { readonly hash: Hash; readonly algorithm: DigestAlgorithm; sizeBytes: number }

/** @param folder - made when missing */
export async function folderBlobs(folder: string): Promise<BlobStore> {
  for (const part of ['blobs/sha256', 'blobs/sha512', 'uploads', 'quarantine'])
    await mkdir(join(folder, part), { recursive: true, mode: 0o700 })
  const running = rememberedUploads<Running>()

  const uploadFile = (id: string): string => join(folder, uploadPlace(id))

  return {
    findSize: (digest) => sizeOf(blobFile(folder, digest)),
    open: (digest, range) => openBlob(blobFile(folder, digest), range),
    async append({ id, offsetBytes, algorithm, content }) {
      const known = running.take(id)
      const state =
        known?.sizeBytes === offsetBytes && known.algorithm === algorithm
          ? known
          : offsetBytes === 0
            ? { hash: createHash(algorithm), algorithm, sizeBytes: 0 }
            : undefined
      const result = await appendTo(uploadFile(id), offsetBytes, content, state?.hash)
      if (state) running.put(id, { ...state, sizeBytes: result.sizeBytes })
      return result
    },
    async publish({ id, sizeBytes, digest }) {
      const known = running.take(id)
      const usable =
        known !== undefined && known.sizeBytes === sizeBytes && known.algorithm === algorithmOf(digest)
      return await publishFile(folder, {
        file: uploadFile(id),
        sizeBytes,
        digest,
        hash: usable ? known.hash : undefined,
      })
    },
    async drop(id) {
      running.take(id)
      await rm(uploadFile(id), { force: true })
    },
    remove: (digest) => rm(blobFile(folder, digest), { force: true }),
    async quarantine(digest) {
      await rename(blobFile(folder, digest), join(folder, quarantinePlace(digest)))
    },
    list: (after) => listBlobs(folder, after),
    sweep: (before) => sweepUploads(join(folder, 'uploads'), before),
  }
}

function blobFile(folder: string, digest: Digest): string {
  return join(folder, blobPlace(digest))
}

async function sizeOf(file: string): Promise<number | undefined> {
  return (await stat(file).catch(absent))?.size
}

async function openBlob(
  file: string,
  range: BlobRange | undefined,
): Promise<ReadableStream<Uint8Array> | undefined> {
  // Opened before the answer begins: a blob that is collected meanwhile stays readable for this reader.
  const handle = await open(file, 'r').catch(absent)
  if (!handle) return undefined
  const stream = createReadStream('', {
    fd: handle,
    highWaterMark: READ_BYTES,
    ...(range ? { start: range.startBytes, end: range.endBytes } : {}),
  })
  return Readable.toWeb(stream) as ReadableStream<Uint8Array>
}

async function appendTo(
  file: string,
  offsetBytes: number,
  content: ByteStream,
  hash: Hash | undefined,
): Promise<{ sizeBytes: number; failure: unknown }> {
  await using handle = await open(file, offsetBytes === 0 ? 'w' : 'r+', 0o600)
  await handle.truncate(offsetBytes)
  let sizeBytes = offsetBytes
  let failure: unknown
  const gathered: Uint8Array[] = []
  let gatheredBytes = 0

  async function flush(): Promise<void> {
    if (gatheredBytes === 0) return
    const pieces = gathered.splice(0)
    const writing = writeAll(handle, pieces, sizeBytes)
    // The disk works on these bytes while the processor hashes them.
    if (hash) for (const piece of pieces) hash.update(piece)
    await writing
    sizeBytes += gatheredBytes
    gatheredBytes = 0
  }

  try {
    for await (const chunk of content) {
      gathered.push(chunk)
      gatheredBytes += chunk.length
      if (gatheredBytes >= GATHER_BYTES) await flush()
    }
  } catch (cause) {
    // The source broke off: what came before it counts, and the caller decides what it means.
    failure = errorOf(cause)
  }
  await flush()
  return { sizeBytes, failure }
}

async function writeAll(handle: FileHandle, pieces: Uint8Array[], positionBytes: number): Promise<void> {
  const wantedBytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
  const { bytesWritten } = await handle.writev(pieces, positionBytes)
  if (bytesWritten === wantedBytes) return
  // A short write happens when the disk fills; the rest goes piece by piece, so that the disk's own error comes out.
  const rest = Buffer.concat(pieces).subarray(bytesWritten)
  for (let done = 0; done < rest.length;) {
    const part = await handle.write(rest, done, rest.length - done, positionBytes + bytesWritten + done)
    done += part.bytesWritten
  }
}

type Publication = {
  readonly file: string
  readonly sizeBytes: number
  readonly digest: Digest
  readonly hash: Hash | undefined
}

async function publishFile(folder: string, upload: Publication): Promise<'published' | 'mismatch'> {
  const { file, digest } = upload
  {
    // An upload of no bytes at all has no file yet.
    await using handle = await open(file, upload.sizeBytes === 0 ? 'a+' : 'r+', 0o600)
    await handle.truncate(upload.sizeBytes)
    const hash = upload.hash ?? (await hashFile(file, algorithmOf(digest)))
    if (finishDigest(hash, algorithmOf(digest)) !== digest) return 'mismatch'
    await handle.sync()
  }
  const place = blobFile(folder, digest)
  const parent = join(place, '..')
  const made = await mkdir(parent, { recursive: true, mode: 0o700 })
  await rename(file, place)
  await syncFolder(parent)
  if (made !== undefined) await syncFolder(join(parent, '..'))
  return 'published'
}

async function hashFile(file: string, algorithm: DigestAlgorithm): Promise<Hash> {
  const hash = createHash(algorithm)
  for await (const chunk of createReadStream(file, { highWaterMark: READ_BYTES }))
    hash.update(chunk as Buffer)
  return hash
}

/** Makes a rename durable. */
async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r')
  await handle.sync()
}

async function* listBlobs(folder: string, after: Digest | undefined): AsyncGenerator<Digest> {
  for (const algorithm of ['sha256', 'sha512']) {
    for (const part of await namesIn(join(folder, 'blobs', algorithm))) {
      for (const hex of await namesIn(join(folder, 'blobs', algorithm, part))) {
        const digest = `${algorithm}:${hex}`
        if (isDigest(digest) && (after === undefined || digest > after)) yield digest
      }
    }
  }
}

async function sweepUploads(folder: string, before: Date): Promise<number> {
  let swept = 0
  for (const name of await namesIn(folder)) {
    const file = join(folder, name)
    // Published or dropped since it was listed: nothing is left to do.
    const writtenAt = await stat(file).then(
      ({ mtime }) => mtime,
      () => undefined,
    )
    if (writtenAt === undefined || writtenAt >= before) continue
    await rm(file, { force: true })
    swept += 1
  }
  return swept
}

async function namesIn(folder: string): Promise<readonly string[]> {
  const names: string[] = []
  for await (const entry of await opendir(folder)) names.push(entry.name)
  return names.sort()
}
