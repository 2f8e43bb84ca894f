import type { Digest, DigestAlgorithm } from '../format/digest.ts'
import type { Annotations, Descriptor } from '../format/manifest.ts'
import type { ByteStream } from '../streams.ts'
import type { ReviewDecision, ReviewFacts, ReviewItem } from './review-plan.ts'

/*
 * What the registry needs from outside: bytes, rows, and who may do what. It keeps no state of its own, so any number of
 * registries over the same ports are one registry.
 *
 * Blob row and blob file change in one protocol. Push: announce (row exists, protected) → file in place → link (row live).
 * Removal: no link left → row absent, a grace period → row `removing` under a lease → file gone → row gone. An announcement
 * stops a removal that has not begun and is refused while one runs; so there is never a live row without its file.
 */
export type BlobRange = {
  readonly startBytes: number
  /** Inclusive. */
  readonly endBytes: number
}

/** Bytes by digest, plus uploads that have no digest yet. Shared by all nodes; each method may be called on any of them. */
export type BlobStore = {
  readonly findSize: (digest: Digest) => Promise<number | undefined>
  /** Undefined when the blob is not there. Whoever opens it reads it to the end or cancels it. */
  readonly open: (digest: Digest, range?: BlobRange) => Promise<ReadableStream<Uint8Array> | undefined>
  /**
   * Appends to an upload at `offsetBytes`; what an interrupted append left beyond is overwritten. The result tells how far it
   * came: a failing source does not lose what arrived before.
   */
  readonly append: (upload: {
    readonly id: string
    readonly offsetBytes: number
    readonly algorithm: DigestAlgorithm
    readonly content: ByteStream
  }) => Promise<{ readonly sizeBytes: number; readonly failure: unknown }>
  /** Checks the whole upload against the digest and makes it the blob, durably. Atomic. */
  readonly publish: (upload: {
    readonly id: string
    readonly sizeBytes: number
    readonly digest: Digest
  }) => Promise<'published' | 'mismatch'>
  /** Forgets an upload; unknown ids are ignored. */
  readonly drop: (id: string) => Promise<void>
  /** Deletes a blob; an absent one is ignored. */
  readonly remove: (digest: Digest) => Promise<void>
  /** Moves a damaged blob out of the way, kept for inspection. */
  readonly quarantine: (digest: Digest) => Promise<void>
  /** All blobs, in the order of their digests, beginning after `after`. */
  readonly list: (after?: Digest) => AsyncIterable<Digest>
  /** Deletes what was uploaded before `before` and became no blob; returns how many objects. */
  readonly sweep: (before: Date) => Promise<number>
}

export type Upload = {
  readonly id: string
  readonly repository: string
  readonly algorithm: DigestAlgorithm
  /** Bytes that are confirmed to the client. */
  readonly sizeBytes: number
  readonly startedAt: Date
}

export type UploadClaim =
  | { readonly kind: 'claimed'; readonly upload: Upload }
  | { readonly kind: 'absent' }
  /** Another request writes to it, or it stands at another offset. */
  | { readonly kind: 'conflict'; readonly upload: Upload }

export type ManifestRecord = {
  readonly repository: string
  readonly digest: Digest
  readonly mediaType: string
  /** Exactly as pushed. */
  readonly bytes: Uint8Array
  readonly artifactType: string | undefined
  readonly annotations: Annotations
  readonly subject: Digest | undefined
  /** Blobs that must be in the repository: config and layers, without what is not distributable. */
  readonly blobs: readonly Digest[]
  /** Manifests that an index names; they may be missing. */
  readonly children: readonly Digest[]
}

export type PutOutcome =
  | { readonly kind: 'stored' }
  | { readonly kind: 'blobMissing'; readonly digest: Digest }
  | { readonly kind: 'tagImmutable'; readonly tag: string }

/**
 * The registry's rows. Every method is one transaction, and what it promises holds against every other one running at the
 * same time. `reviewAfter` is when the collector may look at what a change may have left without an owner.
 */
export type RegistryMetadata = {
  readonly hasRepository: (repository: string) => Promise<boolean>
  /** Names in byte order, `after` exclusive. */
  readonly listRepositories: (page: {
    readonly after: string | undefined
    readonly limit: number
  }) => Promise<readonly string[]>

  /** The size of a live blob that is linked to the repository. With `reviewAfter` a queued review of the link is put off to then. */
  readonly findBlob: (blob: {
    readonly repository: string
    readonly digest: Digest
    readonly reviewAfter?: Date | undefined
  }) => Promise<number | undefined>
  /** Protects the blob's file until `until`, whether it exists or not. False while it is being removed. */
  readonly announceBlob: (blob: {
    readonly digest: Digest
    readonly now: Date
    readonly until: Date
  }) => Promise<boolean>
  /** Makes the blob live and links it to the repository; queues the link for review. */
  readonly linkBlob: (blob: {
    readonly repository: string
    readonly digest: Digest
    readonly sizeBytes: number
    readonly reviewAfter: Date
  }) => Promise<void>
  /** Links a live blob of `from` to `repository`; its size, or undefined when `from` does not have it. */
  readonly mountBlob: (blob: {
    readonly repository: string
    readonly from: string
    readonly digest: Digest
    readonly reviewAfter: Date
  }) => Promise<number | undefined>
  /** Some repositories that hold a live blob. */
  readonly listBlobRepositories: (digest: Digest, limit: number) => Promise<readonly string[]>
  /** Removes the link. `inUse` when a manifest of the repository names the blob. */
  readonly unlinkBlob: (blob: {
    readonly repository: string
    readonly digest: Digest
    readonly reviewAfter: Date
  }) => Promise<'unlinked' | 'absent' | 'inUse'>

  readonly createUpload: (upload: Upload) => Promise<void>
  readonly findUpload: (repository: string, id: string) => Promise<Upload | undefined>
  /** Gives one writer the upload until `until`. With `offsetBytes` only when it stands exactly there. */
  readonly claimUpload: (claim: {
    readonly repository: string
    readonly id: string
    readonly offsetBytes: number | undefined
    readonly claim: string
    readonly now: Date
    readonly until: Date
  }) => Promise<UploadClaim>
  /** False when the claim is no longer held. */
  readonly renewUpload: (claim: {
    readonly id: string
    readonly claim: string
    readonly until: Date
  }) => Promise<boolean>
  /** Ends the claim and records how far the upload came. False when the claim is no longer held. */
  readonly releaseUpload: (claim: {
    readonly id: string
    readonly claim: string
    readonly sizeBytes: number
  }) => Promise<boolean>
  /** False when it was not there. */
  readonly deleteUpload: (repository: string, id: string) => Promise<boolean>
  /** Uploads begun before `before`, without a running claim. */
  readonly listStaleUploads: (stale: {
    readonly before: Date
    readonly now: Date
    readonly limit: number
  }) => Promise<readonly Upload[]>

  readonly findManifest: (
    repository: string,
    digest: Digest,
  ) => Promise<{ readonly mediaType: string; readonly bytes: Uint8Array } | undefined>
  readonly findTag: (repository: string, tag: string) => Promise<Digest | undefined>
  /** Stores the manifest and sets the tags, or does nothing at all. Queues for review what a moved tag leaves behind. */
  readonly putManifest: (
    manifest: ManifestRecord,
    change: { readonly tags: readonly string[]; readonly now: Date; readonly reviewAfter: Date },
  ) => Promise<PutOutcome>
  readonly deleteTag: (tag: {
    readonly repository: string
    readonly tag: string
    readonly reviewAfter: Date
  }) => Promise<'deleted' | 'absent' | 'protected'>
  /** Deletes the manifest with all its tags; `protected` when something that runs or is kept needs it. */
  readonly deleteManifest: (manifest: {
    readonly repository: string
    readonly digest: Digest
    readonly reviewAfter: Date
  }) => Promise<'deleted' | 'absent' | 'protected'>
  /** Byte order, `after` exclusive. */
  readonly listTags: (page: {
    readonly repository: string
    readonly after: string | undefined
    readonly limit: number
  }) => Promise<readonly string[]>
  /** Manifests whose subject is `subject`, in the order of their digests, `after` exclusive. */
  readonly listReferrers: (page: {
    readonly repository: string
    readonly subject: Digest
    readonly artifactType: string | undefined
    readonly after: Digest | undefined
    readonly limit: number
  }) => Promise<readonly Descriptor[]>

  /** Takes up to `limit` due reviews, oldest first, and keeps other workers off them until `leaseUntil`. */
  readonly leaseReviews: (lease: {
    readonly now: Date
    readonly leaseUntil: Date
    readonly limit: number
  }) => Promise<readonly ReviewItem[]>
  /** Reads the facts, lets `decide` decide and applies the decision, all in one transaction. `decide` is pure. */
  readonly settleReview: (
    item: ReviewItem,
    decide: (facts: ReviewFacts) => ReviewDecision,
  ) => Promise<ReviewDecision>
  /** Forgets a blob whose file is gone; nothing happens unless its removal is still under way. */
  readonly finishRemoval: (digest: Digest) => Promise<void>
  /** Oldest due review that nobody has settled, for an alert. */
  readonly oldestReview: () => Promise<Date | undefined>
}

export type RegistryAction = 'pull' | 'push' | 'delete'

/** Who is asking, as the platform knows them. */
export type RegistrySubject = { readonly id: string; readonly name: string }

export type RegistryEvent = {
  readonly kind: 'push' | 'pull' | 'delete' | 'untag' | 'mount'
  readonly repository: string
  readonly digest: Digest | undefined
  readonly tags: readonly string[]
  readonly subject: RegistrySubject | undefined
  readonly at: Date
}
