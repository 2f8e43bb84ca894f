import { unreachable, type Clock } from '@slipway/kit'

import type { BlobStore, RegistryMetadata } from './ports.ts'
import { planReview, type ReviewDecision, type ReviewItem, type ReviewPolicy } from './review-plan.ts'

export type CollectOptions = {
  readonly blobs: BlobStore
  readonly metadata: RegistryMetadata
  readonly clock: Clock
  readonly policy?: Partial<ReviewPolicy> | undefined
  /** Reviews per call; 100 by default. */
  readonly limit?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export type CollectReport = {
  readonly reviewed: number
  readonly manifestsRemoved: number
  readonly linksRemoved: number
  readonly blobsRemoved: number
  /** Reviews that failed; they come back when their lease ends. */
  readonly failures: readonly { readonly item: ReviewItem; readonly error: unknown }[]
}

const HOUR_MS = 3_600_000
const POLICY: ReviewPolicy = { graceMs: HOUR_MS, removalMs: 5 * 60_000 }
const LEASE_MS = 10 * 60_000
const LIMIT = 100
/** An upload that nobody has finished in this time is abandoned. */
const UPLOAD_LIFE_MS = 24 * HOUR_MS

/** Settles the reviews that are due, at most `limit`. Safe to run on several nodes at once and during any push. */
export async function collectGarbage(options: CollectOptions): Promise<CollectReport> {
  const { metadata, clock } = options
  const now = clock.now()
  const items = await metadata.leaseReviews({
    now,
    leaseUntil: new Date(now.getTime() + LEASE_MS),
    limit: options.limit ?? LIMIT,
  })
  const decisions: ReviewDecision[] = []
  const failures: { item: ReviewItem; error: unknown }[] = []
  for (const item of items) {
    options.signal?.throwIfAborted()
    try {
      decisions.push(await settle(options, item))
    } catch (error) {
      // One entry that fails must not hold up the others: its lease ends and it is tried again.
      failures.push({ item, error })
    }
  }
  const count = (kind: ReviewDecision['kind']): number =>
    decisions.filter((decision) => decision.kind === kind).length
  return {
    reviewed: decisions.length,
    manifestsRemoved: count('removeManifest'),
    linksRemoved: count('removeLink'),
    blobsRemoved: count('removeBlob'),
    failures,
  }
}

async function settle(options: CollectOptions, item: ReviewItem): Promise<ReviewDecision> {
  const policy = { ...POLICY, ...options.policy }
  const decision = await options.metadata.settleReview(item, (facts) =>
    planReview(facts, options.clock.now(), policy),
  )
  switch (decision.kind) {
    case 'removeBlob':
      await options.blobs.remove(item.digest)
      await options.metadata.finishRemoval(item.digest)
      break
    case 'keep':
    case 'postpone':
    case 'removeManifest':
    case 'removeLink':
    case 'hideBlob':
      break
    default:
      unreachable(decision)
  }
  return decision
}

/** Forgets abandoned uploads; returns how many. */
export async function dropStaleUploads(
  options: Pick<CollectOptions, 'blobs' | 'metadata' | 'clock'> & { readonly lifeMs?: number | undefined },
): Promise<number> {
  const now = options.clock.now()
  const before = new Date(now.getTime() - (options.lifeMs ?? UPLOAD_LIFE_MS))
  const stale = await options.metadata.listStaleUploads({ before, now, limit: LIMIT })
  for (const upload of stale) {
    // The row first: while it is there, somebody could still write to the file.
    await options.metadata.deleteUpload(upload.repository, upload.id)
    await options.blobs.drop(upload.id)
  }
  return stale.length
}
