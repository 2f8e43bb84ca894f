import type { Clock } from '@slipway/kit'

import { algorithmOf, finishDigest, type Digest } from '../format/digest.ts'
import { createHash } from 'node:crypto'
import type { BlobStore } from './ports.ts'

export type ScrubReport = {
  readonly checked: number
  readonly sizeBytes: number
  /** Blobs whose bytes are no longer what their digest names; they are in quarantine now. */
  readonly damaged: readonly Digest[]
  /** Where the next call goes on; undefined when the end was reached. */
  readonly next: Digest | undefined
}

/**
 * Hashes blobs again, in the order of their digests, and moves damaged ones to quarantine, so that they are absent and can be pushed again.
 * @param options.limit - blobs per call
 * @param options.bytesPerSecond - rate limit; none by default
 */
export async function scrubBlobs(options: {
  readonly blobs: BlobStore
  readonly clock: Clock
  readonly after?: Digest | undefined
  readonly limit: number
  readonly bytesPerSecond?: number | undefined
  readonly signal?: AbortSignal | undefined
}): Promise<ScrubReport> {
  const damaged: Digest[] = []
  let checked = 0
  let sizeBytes = 0
  let last: Digest | undefined
  for await (const digest of options.blobs.list(options.after)) {
    if (checked >= options.limit) return { checked, sizeBytes, damaged, next: last }
    options.signal?.throwIfAborted()
    const content = await options.blobs.open(digest)
    checked += 1
    last = digest
    // Collected between the listing and now.
    if (!content) continue
    const startedMs = options.clock.monotonicMs()
    const hash = createHash(algorithmOf(digest))
    let blobBytes = 0
    for await (const chunk of content) {
      hash.update(chunk)
      blobBytes += chunk.length
    }
    sizeBytes += blobBytes
    if (finishDigest(hash, algorithmOf(digest)) !== digest) {
      await options.blobs.quarantine(digest)
      damaged.push(digest)
    }
    const paceMs = options.bytesPerSecond === undefined ? 0 : (blobBytes / options.bytesPerSecond) * 1_000
    const aheadMs = paceMs - (options.clock.monotonicMs() - startedMs)
    if (aheadMs > 0) await options.clock.sleep(aheadMs, options.signal)
  }
  return { checked, sizeBytes, damaged, next: undefined }
}
