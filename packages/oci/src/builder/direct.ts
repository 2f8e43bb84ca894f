import { assert, errorOf, unreachable, type Clock, type NewId } from '@slipway/kit'

import { ociErrors } from '../errors.ts'
import { algorithmOf, digestOf, isDigest, type Digest } from '../format/digest.ts'
import { parseManifest } from '../format/manifest.ts'
import { announceBlob } from '../registry/announce.ts'
import { manifestRecordOf } from '../registry/manifest-record.ts'
import type { BlobStore, RegistryMetadata } from '../registry/ports.ts'
import { readAll, verifiedStream, type ByteStream } from '../streams.ts'
import type { ImageSink, ImageSource } from './ports.ts'

const HOST = 'built in'

export type DirectOptions = {
  readonly blobs: BlobStore
  readonly metadata: RegistryMetadata
  readonly clock: Clock
  readonly newId: NewId
  readonly repository: string
  /** When the collector may look at what is built here. 24 h by default. */
  readonly reviewDelayMs?: number | undefined
}

const REVIEW_DELAY_MS = 24 * 3_600_000

/** A repository of the registry in this process, without the network. Follows the same protocol of rows and files as an upload. */
export function directSink(options: DirectOptions): ImageSink {
  const { blobs, metadata, clock, repository } = options
  const reviewAfter = (): Date => new Date(clock.now().getTime() + (options.reviewDelayMs ?? REVIEW_DELAY_MS))

  async function publish(id: string, sizeBytes: number, digest: Digest): Promise<void> {
    if (!(await announceBlob(metadata, clock, digest)))
      throw ociErrors.registry_unreachable(
        { registry: HOST, reason: 'the same blob is being removed' },
        { retryAfterSeconds: 10 },
      )
    const outcome = await blobs.publish({ id, sizeBytes, digest })
    assert(outcome === 'published', 'the builder hashes what it sends')
    await metadata.linkBlob({ repository, digest, sizeBytes, reviewAfter: reviewAfter() })
    await metadata.deleteUpload(repository, id)
  }

  return {
    hasBlob: async (digest) =>
      (await metadata.findBlob({ repository, digest, reviewAfter: reviewAfter() })) !== undefined,
    async startBlob() {
      const id = options.newId('upl')
      // The row is what lets the collector find the file of a build that died.
      await metadata.createUpload({
        id,
        repository,
        algorithm: 'sha256',
        sizeBytes: 0,
        startedAt: clock.now(),
      })
      const pipe = bytePipe()
      const appended = blobs.append({ id, offsetBytes: 0, algorithm: 'sha256', content: pipe.stream })
      // Its outcome is read at commit; until then a failure must not count as unhandled.
      appended.catch(errorOf).finally(() => pipe.stop())
      return {
        write: (chunk) => pipe.write(chunk),
        async commit(digest) {
          pipe.end()
          const { sizeBytes, failure } = await appended
          if (failure !== undefined) throw errorOf(failure)
          await publish(id, sizeBytes, digest)
        },
        async abort() {
          pipe.end()
          await Promise.allSettled([appended])
          await metadata.deleteUpload(repository, id)
          await blobs.drop(id)
        },
      }
    },
    mountBlob: async ({ from, digest }) =>
      (await metadata.mountBlob({ repository, from, digest, reviewAfter: reviewAfter() })) !== undefined,
    putManifest: ({ reference, bytes }) => putManifest(options, reference, bytes, reviewAfter()),
  }
}

async function putManifest(
  options: DirectOptions,
  reference: string,
  bytes: Uint8Array,
  reviewAfter: Date,
): Promise<void> {
  const { metadata, clock, repository } = options
  const digest = digestOf(bytes, isDigest(reference) ? algorithmOf(reference) : 'sha256')
  assert(!isDigest(reference) || reference === digest, 'the builder hashes what it stores')
  const record = manifestRecordOf(parseManifest(bytes), { repository, digest, bytes })
  const tags = isDigest(reference) ? [] : [reference]
  const outcome = await metadata.putManifest(record, { tags, now: clock.now(), reviewAfter })
  switch (outcome.kind) {
    case 'stored':
      return
    case 'blobMissing':
      throw ociErrors.registry_refused({
        registry: HOST,
        what: outcome.digest,
        status: 404,
        said: 'a blob is missing',
      })
    case 'tagImmutable':
      throw ociErrors.registry_refused({
        registry: HOST,
        what: outcome.tag,
        status: 403,
        said: 'the tag is fixed',
      })
    default:
      unreachable(outcome)
  }
}

/** Reads a repository of the registry in this process. */
export function directSource(options: Pick<DirectOptions, 'blobs' | 'metadata' | 'repository'>): ImageSource {
  const { blobs, metadata, repository } = options
  const missing = (what: string): Error =>
    ociErrors.registry_content_missing({ registry: HOST, what: `${repository}:${what}` })
  const openBlob: ImageSource['openBlob'] = async (blob) => {
    const linked = await metadata.findBlob({ repository, digest: blob.digest })
    const content = linked === undefined ? undefined : await blobs.open(blob.digest)
    if (!content) throw missing(blob.digest)
    return verifiedStream(content, blob, (reason) =>
      ociErrors.registry_reply_invalid({ registry: HOST, reason: `${blob.digest}: ${reason}` }),
    )
  }
  return {
    repository,
    async getManifest(reference) {
      const digest = isDigest(reference) ? reference : await metadata.findTag(repository, reference)
      const found = digest && (await metadata.findManifest(repository, digest))
      if (!digest || !found) throw missing(reference)
      return { digest, bytes: found.bytes }
    },
    openBlob,
    readBlob: async (blob, sizeMaxBytes) =>
      await readAll(await openBlob(blob), sizeMaxBytes, () =>
        ociErrors.registry_reply_invalid({ registry: HOST, reason: `${blob.digest} is too large` }),
      ),
  }
}

type BytePipe = {
  /** Resolves when the reader has taken the chunk. */
  readonly write: (chunk: Uint8Array) => Promise<void>
  readonly end: () => void
  /** Lets writers go on when nobody reads any more. */
  readonly stop: () => void
  readonly stream: ByteStream
}

/** Turns calls of `write` into a stream, one chunk at a time, so that a slow reader slows the writer. */
function bytePipe(): BytePipe {
  let waiting: { readonly chunk: Uint8Array; readonly taken: () => void } | undefined
  let wake: (() => void) | undefined
  let isEnded = false
  let isStopped = false

  async function* stream(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (waiting) {
        const { chunk, taken } = waiting
        waiting = undefined
        taken()
        yield chunk
      } else if (isEnded) return
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  }

  return {
    stream: stream(),
    write: (chunk) =>
      new Promise((resolve) => {
        if (isStopped) {
          resolve()
          return
        }
        waiting = { chunk, taken: resolve }
        wake?.()
      }),
    end() {
      isEnded = true
      wake?.()
    },
    stop() {
      isStopped = true
      waiting?.taken()
      waiting = undefined
    },
  }
}
