import { createHash, randomBytes, type Hash } from 'node:crypto'

import { assert, errorOf, must } from '@slipway/kit'

import { algorithmOf, finishDigest, isDigest, type DigestAlgorithm } from '../format/digest.ts'
import { blobPlace, quarantinePlace, rememberedUploads, uploadPlace } from '../registry/blob-places.ts'
import type { BlobStore } from '../registry/ports.ts'
import { RegistryError } from '../registry/errors.ts'
import { readAll, type ByteStream } from '../streams.ts'
import { s3Client, type S3Client, type S3Options } from './client.ts'
import { joinObjects } from './join.ts'
import { chainOf, segmentName, startOfSegment, type Segment } from './segments.ts'
import { elementsOf, textOf } from './xml.ts'

/*
 * Blobs in a bucket, which any number of nodes share:
 *   blobs/<algorithm>/<first two hex>/<hex>     complete; comes into being by one request, and is never written again
 *   uploads/<id>/<where it begins>-<nonce>      segments of an upload
 *   quarantine/<algorithm>-<hex>
 * An upload of several requests, on whichever nodes, is the row of its segments. The hash runs while bytes arrive and is
 * remembered by this process, with the segments it belongs to. Everywhere else the segments are listed and read again, so what
 * becomes a blob has always been hashed as it lies there.
 *
 * A node that dies between the last two steps of a push leaves segments behind; `sweep` finds them.
 */
const SEGMENT_BYTES = 8 * 1024 * 1024
const NONCE_BYTES = 8
const DELETES_AT_ONCE = 8

type Running = {
  readonly algorithm: DigestAlgorithm
  /** Undefined when the upload began elsewhere. */
  readonly hash: Hash | undefined
  readonly segments: readonly Segment[]
  readonly sizeBytes: number
}

/** @throws {AppError} `blob_store_…` from every method, when the store refuses or does not answer */
export function s3Blobs(options: S3Options): BlobStore & {
  /** Writes, reads, lists and deletes a small object: whether everything that pushes and pulls need is allowed. */
  readonly check: () => Promise<void>
} {
  const { clock } = options
  const client = s3Client(options)
  const running = rememberedUploads<Running>()

  /** What the store holds of an upload up to a size. */
  async function resume(id: string, algorithm: DigestAlgorithm, sizeBytes: number): Promise<Running> {
    if (sizeBytes === 0) return { algorithm, hash: createHash(algorithm), segments: [], sizeBytes }
    const segments = chainOf(await segmentsOf(client, id), sizeBytes)
    if (segments) return { algorithm, hash: undefined, segments, sizeBytes }
    throw new RegistryError('BLOB_UPLOAD_UNKNOWN', 'the store no longer holds what was uploaded; begin again')
  }

  function taken(id: string, algorithm: DigestAlgorithm | undefined, sizeBytes: number): Running | undefined {
    const known = running.take(id)
    const fits = known?.sizeBytes === sizeBytes && (algorithm === undefined || known.algorithm === algorithm)
    return fits ? known : undefined
  }

  return {
    async findSize(digest) {
      const response = await client.find({ method: 'HEAD', key: blobPlace(digest) })
      return response && Number(response.headers.get('content-length'))
    },
    async open(digest, range) {
      const headers = range ? { range: `bytes=${range.startBytes}-${range.endBytes}` } : {}
      const response = await client.find({ method: 'GET', key: blobPlace(digest), headers })
      return response && ReadableStream.from<Uint8Array>(client.bodyOf(response))
    },
    async append({ id, offsetBytes, algorithm, content }) {
      const state = taken(id, algorithm, offsetBytes) ?? (await resume(id, algorithm, offsetBytes))
      const { failure, ...appended } = await appendTo(client, id, state, content)
      running.put(id, appended)
      return { sizeBytes: appended.sizeBytes, failure }
    },
    async publish({ id, sizeBytes, digest }) {
      const algorithm = algorithmOf(digest)
      const state = taken(id, undefined, sizeBytes) ?? (await resume(id, algorithm, sizeBytes))
      const hash =
        state.hash !== undefined && state.algorithm === algorithm
          ? state.hash
          : await hashOf(client, state.segments, algorithm)
      if (finishDigest(hash, algorithm) !== digest) return 'mismatch'
      await joinObjects(client, state.segments, blobPlace(digest))
      await dropUpload(client, id)
      return 'published'
    },
    async drop(id) {
      running.take(id)
      await dropUpload(client, id)
    },
    remove: (digest) => remove(client, blobPlace(digest)),
    async quarantine(digest) {
      const key = blobPlace(digest)
      const found = await client.find({ method: 'HEAD', key })
      if (!found) return
      const whole: Segment = {
        key,
        startBytes: 0,
        sizeBytes: Number(found.headers.get('content-length')),
        writtenAt: clock.now(),
      }
      await joinObjects(client, [whole], quarantinePlace(digest))
      await remove(client, key)
    },
    async *list(after) {
      for (const algorithm of ['sha256', 'sha512']) {
        const prefix = `blobs/${algorithm}/`
        const start = after?.startsWith(`${algorithm}:`) ? { after: blobPlace(after) } : {}
        if (after !== undefined && `${algorithm};` <= after) continue
        for await (const { key } of listObjects(client, { prefix, ...start })) {
          const digest = `${algorithm}:${key.split('/').at(-1) ?? ''}`
          if (isDigest(digest)) yield digest
        }
      }
    },
    async sweep(before) {
      let swept = 0
      for await (const { key, writtenAt } of listObjects(client, { prefix: 'uploads/' })) {
        if (writtenAt >= before) continue
        await remove(client, key)
        swept += 1
      }
      return swept
    },
    async check() {
      const key = `probe/${nonce()}`
      await put(client, key, Buffer.from('slipway'))
      const read = await client.find({ method: 'GET', key })
      const text = read && (await readAll(client.bodyOf(read), 1_024, () => new Error('too large')))
      assert(text?.toString() === 'slipway', 'the blob store gives back what was written')
      for await (const _ of listObjects(client, { prefix: key })) break
      await remove(client, key)
    },
  }
}

function nonce(): string {
  return randomBytes(NONCE_BYTES).toString('hex')
}

async function put(client: S3Client, key: string, payload: Uint8Array): Promise<void> {
  await client.ask({ method: 'PUT', key, payload })
}

async function remove(client: S3Client, key: string): Promise<void> {
  const response = await client.find({ method: 'DELETE', key })
  await response?.body?.cancel()
}

/** Sends what comes in segments; while one is on its way the next is gathered, so an upload holds at most two. */
async function appendTo(
  client: S3Client,
  id: string,
  begun: Running,
  content: ByteStream,
): Promise<Running & { readonly failure: unknown }> {
  const segments = [...begun.segments]
  let sentBytes = begun.sizeBytes
  let gathered: Uint8Array[] = []
  let gatheredBytes = 0
  let sending = Promise.resolve()

  async function flush(): Promise<void> {
    await sending
    if (gatheredBytes === 0) return
    const payload = Buffer.concat(gathered)
    const key = `${uploadPlace(id)}/${segmentName(sentBytes, nonce())}`
    segments.push({ key, startBytes: sentBytes, sizeBytes: payload.length, writtenAt: new Date(0) })
    sentBytes += payload.length
    gathered = []
    gatheredBytes = 0
    sending = put(client, key, payload)
    // Its failure is met by whoever waits for it next.
    sending.catch(errorOf)
    begun.hash?.update(payload)
  }

  let failure: unknown
  const pieces = piecesOf(content)
  try {
    for await (const piece of pieces) {
      gathered.push(piece)
      gatheredBytes += piece.length
      if (gatheredBytes >= SEGMENT_BYTES) await flush()
    }
  } catch (thrown) {
    if (!(thrown instanceof SourceFailure)) throw thrown
    // The source broke off: what came before it counts, and the caller decides what it means.
    failure = thrown.reason
  }
  await flush()
  await sending
  return { ...begun, segments, sizeBytes: sentBytes, failure }
}

/** Tells a source that fails from a store that does. */
class SourceFailure extends Error {
  readonly reason: Error

  constructor(reason: Error) {
    super(reason.message)
    this.reason = reason
  }
}

async function* piecesOf(content: ByteStream): AsyncGenerator<Uint8Array> {
  const source = content[Symbol.asyncIterator]()
  let isOver = false
  try {
    for (;;) {
      const next = await source.next().catch((thrown: unknown) => {
        isOver = true
        throw new SourceFailure(errorOf(thrown))
      })
      isOver = next.done === true
      if (next.done) return
      yield next.value
    }
  } finally {
    if (!isOver) await source.return?.()
  }
}

async function segmentsOf(client: S3Client, id: string): Promise<readonly Segment[]> {
  const segments: Segment[] = []
  for await (const { key, sizeBytes, writtenAt } of listObjects(client, { prefix: `${uploadPlace(id)}/` })) {
    const startBytes = startOfSegment(key.split('/').at(-1) ?? '')
    if (startBytes !== undefined) segments.push({ key, startBytes, sizeBytes, writtenAt })
  }
  return segments
}

async function hashOf(
  client: S3Client,
  segments: readonly Segment[],
  algorithm: DigestAlgorithm,
): Promise<Hash> {
  const hash = createHash(algorithm)
  for (const { key } of segments) {
    const response = must(await client.find({ method: 'GET', key }), 'a listed segment is there')
    for await (const chunk of client.bodyOf(response)) hash.update(chunk)
  }
  return hash
}

async function dropUpload(client: S3Client, id: string): Promise<void> {
  const keys: string[] = []
  for await (const { key } of listObjects(client, { prefix: `${uploadPlace(id)}/` })) keys.push(key)
  for (let start = 0; start < keys.length; start += DELETES_AT_ONCE)
    await Promise.all(keys.slice(start, start + DELETES_AT_ONCE).map((key) => remove(client, key)))
}

type Listed = { readonly key: string; readonly sizeBytes: number; readonly writtenAt: Date }

/** Objects in the order of their names, those after `after`. */
async function* listObjects(
  client: S3Client,
  { prefix, after }: { readonly prefix: string; readonly after?: string },
): AsyncGenerator<Listed> {
  let next: Readonly<Record<string, string>> =
    after === undefined ? {} : { 'start-after': `${client.prefix}${after}` }
  for (;;) {
    const query = { 'list-type': '2', prefix: `${client.prefix}${prefix}`, ...next }
    const { text } = await client.ask({ method: 'GET', key: '', query })
    for (const element of elementsOf(text, 'Contents')) {
      const key = textOf(element, 'Key')
      if (key === undefined) continue
      yield {
        key: key.slice(client.prefix.length),
        sizeBytes: Number(textOf(element, 'Size')),
        writtenAt: new Date(textOf(element, 'LastModified') ?? 0),
      }
    }
    const token = textOf(text, 'NextContinuationToken')
    if (textOf(text, 'IsTruncated') !== 'true' || token === undefined) return
    next = { 'continuation-token': token }
  }
}
