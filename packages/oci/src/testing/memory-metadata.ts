import type { Digest } from '../format/digest.ts'
import type { ManifestRecord, RegistryMetadata, Upload } from '../registry/ports.ts'
import type { ReviewDecision, ReviewFacts, ReviewItem } from '../registry/review-plan.ts'

/*
 * The registry's rows in memory, for tests. JavaScript runs one method at a time, so each is a transaction by itself.
 */
type BlobRow = {
  state: 'live' | 'absent' | 'removing'
  sizeBytes: number
  protectedUntil: Date | undefined
  absentSince: Date | undefined
  removingUntil: Date | undefined
}
type UploadRow = Upload & { claim?: string | undefined; claimedUntil?: Date | undefined }
type Review = { readonly item: ReviewItem; reviewAfter: Date; leasedUntil: Date | undefined }
type Repository = {
  readonly manifests: Map<Digest, ManifestRecord>
  readonly tags: Map<string, Digest>
  readonly links: Set<Digest>
}

export type MemoryMetadataOptions = {
  /** What runs or is kept, and so is never removed. */
  readonly isPinned?: (repository: string, digest: Digest) => boolean
  readonly isTagImmutable?: (repository: string, tag: string) => boolean
}

type State = {
  readonly repositories: Map<string, Repository>
  readonly blobs: Map<Digest, BlobRow>
  readonly uploads: Map<string, UploadRow>
  readonly reviews: Map<string, Review>
  readonly options: MemoryMetadataOptions
}

export function memoryMetadata(options: MemoryMetadataOptions = {}): RegistryMetadata {
  const state: State = {
    repositories: new Map(),
    blobs: new Map(),
    uploads: new Map(),
    reviews: new Map(),
    options,
  }
  return {
    ...repositoryRows(state),
    ...blobRows(state),
    ...uploadRows(state),
    ...manifestRows(state),
    ...reviewRows(state),
  }
}

function repositoryOf(state: State, name: string): Repository {
  const known = state.repositories.get(name)
  if (known) return known
  const made: Repository = { manifests: new Map(), tags: new Map(), links: new Set() }
  state.repositories.set(name, made)
  return made
}

const keyOf = (item: ReviewItem): string =>
  item.kind === 'blob' ? `blob ${item.digest}` : `${item.kind} ${item.repository} ${item.digest}`

function queue(state: State, item: ReviewItem, reviewAfter: Date): void {
  state.reviews.set(keyOf(item), { item, reviewAfter, leasedUntil: undefined })
}

function pageOf<T extends string>(values: Iterable<T>, after: string | undefined, limit: number): T[] {
  const sorted = [...values].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return sorted.filter((value) => after === undefined || value > after).slice(0, limit)
}

function repositoryRows(state: State): Pick<RegistryMetadata, 'hasRepository' | 'listRepositories'> {
  return {
    hasRepository: async (repository) => state.repositories.has(repository),
    listRepositories: async ({ after, limit }) => pageOf(state.repositories.keys(), after, limit),
  }
}

function liveBlob(state: State, repository: string, digest: Digest): BlobRow | undefined {
  const row = state.blobs.get(digest)
  return row?.state === 'live' && state.repositories.get(repository)?.links.has(digest) ? row : undefined
}

function linkBlob(state: State, repository: string, digest: Digest, reviewAfter: Date): void {
  repositoryOf(state, repository).links.add(digest)
  queue(state, { kind: 'link', repository, digest }, reviewAfter)
}

function isReferenced(repository: Repository | undefined, digest: Digest): boolean {
  return [...(repository?.manifests.values() ?? [])].some((manifest) => manifest.blobs.includes(digest))
}

type BlobMethods =
  | 'findBlob'
  | 'announceBlob'
  | 'linkBlob'
  | 'mountBlob'
  | 'listBlobRepositories'
  | 'unlinkBlob'
  | 'finishRemoval'

function blobRows(state: State): Pick<RegistryMetadata, BlobMethods> {
  return {
    async findBlob({ repository, digest, reviewAfter }) {
      const row = liveBlob(state, repository, digest)
      const review = state.reviews.get(keyOf({ kind: 'link', repository, digest }))
      if (row && review && reviewAfter) review.reviewAfter = reviewAfter
      return row?.sizeBytes
    },
    async announceBlob({ digest, now, until }) {
      const row = state.blobs.get(digest)
      if (row?.state === 'removing' && row.removingUntil && row.removingUntil > now) return false
      if (row) {
        row.protectedUntil = until
        if (row.state === 'removing') row.state = 'absent'
      } else
        state.blobs.set(digest, {
          state: 'absent',
          sizeBytes: 0,
          protectedUntil: until,
          absentSince: now,
          removingUntil: undefined,
        })
      if (state.blobs.get(digest)?.state === 'absent') queue(state, { kind: 'blob', digest }, until)
      return true
    },
    async linkBlob({ repository, digest, sizeBytes, reviewAfter }) {
      const row = state.blobs.get(digest)
      state.blobs.set(digest, {
        state: 'live',
        sizeBytes,
        protectedUntil: row?.protectedUntil,
        absentSince: undefined,
        removingUntil: undefined,
      })
      linkBlob(state, repository, digest, reviewAfter)
    },
    async mountBlob({ repository, from, digest, reviewAfter }) {
      const row = liveBlob(state, from, digest)
      if (row) linkBlob(state, repository, digest, reviewAfter)
      return row?.sizeBytes
    },
    listBlobRepositories: async (digest, limit) =>
      [...state.repositories.keys()].filter((name) => liveBlob(state, name, digest)).slice(0, limit),
    async unlinkBlob({ repository, digest, reviewAfter }) {
      if (!liveBlob(state, repository, digest)) return 'absent'
      const holder = state.repositories.get(repository)
      if (isReferenced(holder, digest)) return 'inUse'
      holder?.links.delete(digest)
      queue(state, { kind: 'blob', digest }, reviewAfter)
      return 'unlinked'
    },
    async finishRemoval(digest) {
      if (state.blobs.get(digest)?.state !== 'removing') return
      state.blobs.delete(digest)
      state.reviews.delete(keyOf({ kind: 'blob', digest }))
    },
  }
}

type UploadMethods =
  | 'createUpload'
  | 'findUpload'
  | 'claimUpload'
  | 'renewUpload'
  | 'releaseUpload'
  | 'deleteUpload'
  | 'listStaleUploads'

function uploadRows(state: State): Pick<RegistryMetadata, UploadMethods> {
  const find = (repository: string, id: string): UploadRow | undefined => {
    const row = state.uploads.get(id)
    return row?.repository === repository ? row : undefined
  }
  const held = (id: string, claim: string): UploadRow | undefined => {
    const row = state.uploads.get(id)
    return row?.claim === claim ? row : undefined
  }
  return {
    async createUpload(upload) {
      repositoryOf(state, upload.repository)
      state.uploads.set(upload.id, { ...upload })
    },
    findUpload: async (repository, id) => find(repository, id),
    async claimUpload({ repository, id, offsetBytes, claim, now, until }) {
      const row = find(repository, id)
      if (!row) return { kind: 'absent' }
      const isHeld = row.claimedUntil !== undefined && row.claimedUntil > now
      if (isHeld || (offsetBytes !== undefined && offsetBytes !== row.sizeBytes))
        return { kind: 'conflict', upload: { ...row } }
      row.claim = claim
      row.claimedUntil = until
      return { kind: 'claimed', upload: { ...row } }
    },
    async renewUpload({ id, claim, until }) {
      const row = held(id, claim)
      if (row) row.claimedUntil = until
      return row !== undefined
    },
    async releaseUpload({ id, claim, sizeBytes }) {
      const row = held(id, claim)
      if (row) state.uploads.set(id, { ...row, sizeBytes, claim: undefined, claimedUntil: undefined })
      return row !== undefined
    },
    deleteUpload: async (repository, id) => find(repository, id) !== undefined && state.uploads.delete(id),
    listStaleUploads: async ({ before, now, limit }) =>
      [...state.uploads.values()]
        .filter((row) => row.startedAt < before && !(row.claimedUntil && row.claimedUntil > now))
        .slice(0, limit),
  }
}

type ManifestMethods =
  | 'findManifest'
  | 'findTag'
  | 'putManifest'
  | 'deleteTag'
  | 'deleteManifest'
  | 'listTags'
  | 'listReferrers'

function manifestRows(state: State): Pick<RegistryMetadata, ManifestMethods> {
  const { options } = state
  return {
    findManifest: async (repository, digest) => state.repositories.get(repository)?.manifests.get(digest),
    findTag: async (repository, tag) => state.repositories.get(repository)?.tags.get(tag),
    async putManifest(manifest, { tags, reviewAfter }) {
      const { repository: name, digest } = manifest
      const missing = manifest.blobs.find((blob) => !liveBlob(state, name, blob))
      if (missing) return { kind: 'blobMissing', digest: missing }
      const repository = repositoryOf(state, name)
      const fixed = tags.find((tag) => {
        const old = repository.tags.get(tag)
        return old !== undefined && old !== digest && options.isTagImmutable?.(name, tag) === true
      })
      if (fixed !== undefined) return { kind: 'tagImmutable', tag: fixed }
      repository.manifests.set(digest, manifest)
      for (const tag of tags) {
        const old = repository.tags.get(tag)
        if (old !== undefined && old !== digest)
          queue(state, { kind: 'manifest', repository: name, digest: old }, reviewAfter)
        repository.tags.set(tag, digest)
      }
      if (tags.length === 0) queue(state, { kind: 'manifest', repository: name, digest }, reviewAfter)
      return { kind: 'stored' }
    },
    async deleteTag({ repository: name, tag, reviewAfter }) {
      const repository = state.repositories.get(name)
      const digest = repository?.tags.get(tag)
      if (!repository || digest === undefined) return 'absent'
      if (options.isTagImmutable?.(name, tag) === true) return 'protected'
      repository.tags.delete(tag)
      queue(state, { kind: 'manifest', repository: name, digest }, reviewAfter)
      return 'deleted'
    },
    async deleteManifest({ repository: name, digest, reviewAfter }) {
      const repository = state.repositories.get(name)
      if (!repository?.manifests.has(digest)) return 'absent'
      const isFixed = [...repository.tags].some(
        ([tag, target]) => target === digest && options.isTagImmutable?.(name, tag) === true,
      )
      if (isFixed || options.isPinned?.(name, digest) === true) return 'protected'
      removeManifest(state, name, digest, reviewAfter)
      return 'deleted'
    },
    listTags: async ({ repository, after, limit }) =>
      pageOf(state.repositories.get(repository)?.tags.keys() ?? [], after, limit),
    async listReferrers({ repository, subject, artifactType, after, limit }) {
      const manifests = state.repositories.get(repository)?.manifests ?? new Map<Digest, ManifestRecord>()
      const fitting = new Map(
        [...manifests].filter(
          ([, manifest]) =>
            manifest.subject === subject &&
            (artifactType === undefined || manifest.artifactType === artifactType),
        ),
      )
      return pageOf(fitting.keys(), after, limit).flatMap((digest) => {
        const manifest = fitting.get(digest)
        return manifest
          ? [
              {
                mediaType: manifest.mediaType,
                digest,
                size: manifest.bytes.length,
                annotations: manifest.annotations,
                artifactType: manifest.artifactType,
              },
            ]
          : []
      })
    },
  }
}

function removeManifest(state: State, name: string, digest: Digest, reviewAfter: Date): void {
  const repository = state.repositories.get(name)
  const manifest = repository?.manifests.get(digest)
  if (!repository || !manifest) return
  repository.manifests.delete(digest)
  for (const [tag, target] of repository.tags) if (target === digest) repository.tags.delete(tag)
  for (const blob of manifest.blobs)
    queue(state, { kind: 'link', repository: name, digest: blob }, reviewAfter)
  const attached = [...repository.manifests.values()].filter((other) => other.subject === digest)
  for (const child of [...manifest.children, ...attached.map((other) => other.digest)]) {
    if (repository.manifests.has(child))
      queue(state, { kind: 'manifest', repository: name, digest: child }, reviewAfter)
  }
}

function reviewRows(state: State): Pick<RegistryMetadata, 'leaseReviews' | 'settleReview' | 'oldestReview'> {
  return {
    async leaseReviews({ now, leaseUntil, limit }) {
      const due = [...state.reviews.values()]
        .filter((row) => row.reviewAfter <= now && !(row.leasedUntil && row.leasedUntil > now))
        .sort((a, b) => a.reviewAfter.getTime() - b.reviewAfter.getTime())
        .slice(0, limit)
      for (const row of due) row.leasedUntil = leaseUntil
      return due.map((row) => row.item)
    },
    async settleReview(item, decide) {
      const review = state.reviews.get(keyOf(item))
      if (!review) return { kind: 'keep', why: 'another worker settled it' }
      const decision = decide(factsOf(state, item, review.reviewAfter))
      state.reviews.delete(keyOf(item))
      apply(state, item, decision)
      return decision
    },
    async oldestReview() {
      const times = [...state.reviews.values()].map((row) => row.reviewAfter.getTime())
      return times.length === 0 ? undefined : new Date(Math.min(...times))
    },
  }
}

function factsOf(state: State, item: ReviewItem, reviewAfter: Date): ReviewFacts {
  if (item.kind === 'blob') {
    const row = state.blobs.get(item.digest)
    return {
      kind: 'blob',
      state: row?.state ?? 'gone',
      reviewAfter,
      linked: [...state.repositories.values()].some((repository) => repository.links.has(item.digest)),
      protectedUntil: row?.protectedUntil,
      absentSince: row?.absentSince,
    }
  }
  const repository = state.repositories.get(item.repository)
  if (item.kind === 'link')
    return {
      kind: 'link',
      present: repository?.links.has(item.digest) === true,
      reviewAfter,
      referenced: isReferenced(repository, item.digest),
    }
  const manifests = repository?.manifests ?? new Map<Digest, ManifestRecord>()
  const subject = manifests.get(item.digest)?.subject
  return {
    kind: 'manifest',
    present: manifests.has(item.digest),
    reviewAfter,
    tagged: [...(repository?.tags.values() ?? [])].includes(item.digest),
    hasParent: [...manifests.values()].some((other) => other.children.includes(item.digest)),
    hasSubject: subject !== undefined && manifests.has(subject),
    pinned: state.options.isPinned?.(item.repository, item.digest) === true,
  }
}

function apply(state: State, item: ReviewItem, decision: ReviewDecision): void {
  const row = state.blobs.get(item.digest)
  if (decision.kind === 'postpone') queue(state, item, decision.until)
  else if (decision.kind === 'removeManifest' && item.kind === 'manifest')
    removeManifest(state, item.repository, item.digest, decision.reviewAfter)
  else if (decision.kind === 'removeLink' && item.kind === 'link') {
    state.repositories.get(item.repository)?.links.delete(item.digest)
    queue(state, { kind: 'blob', digest: item.digest }, decision.reviewAfter)
  } else if (decision.kind === 'hideBlob' && row) {
    row.state = 'absent'
    row.absentSince = decision.absentSince
    queue(state, item, decision.reviewAfter)
  } else if (decision.kind === 'removeBlob' && row) {
    row.state = 'removing'
    row.removingUntil = decision.leaseUntil
    queue(state, item, decision.leaseUntil)
  }
}
