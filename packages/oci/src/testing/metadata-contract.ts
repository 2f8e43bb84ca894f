import { describe, expect, test } from 'vitest'

import { digestOf, type Digest } from '../format/digest.ts'
import { mediaTypes } from '../format/media-types.ts'
import type { ManifestRecord, RegistryMetadata } from '../registry/ports.ts'
import { planReview, type ReviewItem } from '../registry/review-plan.ts'

/*
 * What every implementation of the metadata port must do. The platform runs this against PostgreSQL, this package against
 * the implementation in memory.
 */
export type MetadataUnderTest = {
  readonly metadata: RegistryMetadata
  /** Makes a manifest count as running or kept. */
  readonly pin: (repository: string, digest: Digest) => Promise<void> | void
}

const START = new Date('2026-03-01T00:00:00Z')
const at = (hours: number): Date => new Date(START.getTime() + hours * 3_600_000)
const POLICY = { graceMs: 3_600_000, removalMs: 60_000 }
const blobDigest = (name: string): Digest => digestOf(`blob ${name}`)

function manifest(repository: string, name: string, more: Partial<ManifestRecord> = {}): ManifestRecord {
  const bytes = Buffer.from(`manifest ${name}`)
  return {
    repository,
    digest: digestOf(bytes),
    mediaType: mediaTypes.manifest,
    bytes,
    artifactType: mediaTypes.config,
    annotations: {},
    subject: undefined,
    blobs: [],
    children: [],
    ...more,
  }
}

/** @param make - a fresh, empty implementation; repositories named `team/app` and `team/other` must be usable */
export function describeRegistryMetadata(name: string, make: () => Promise<MetadataUnderTest>): void {
  describe(`registry metadata: ${name}`, () => {
    blobContract(make)
    uploadContract(make)
    manifestContract(make)
    listContract(make)
    reviewContract(make)
  })
}

type Make = () => Promise<MetadataUnderTest>
const APP = 'team/app'
const OTHER = 'team/other'

async function pushBlob(
  metadata: RegistryMetadata,
  repository: string,
  digest: Digest,
  hours = 0,
): Promise<void> {
  await metadata.announceBlob({ digest, now: at(hours), until: at(hours + 1) })
  await metadata.linkBlob({ repository, digest, sizeBytes: 7, reviewAfter: at(hours + 24) })
}

async function put(
  metadata: RegistryMetadata,
  record: ManifestRecord,
  tags: readonly string[] = [],
): Promise<void> {
  expect(await metadata.putManifest(record, { tags, now: at(0), reviewAfter: at(24) })).toEqual({
    kind: 'stored',
  })
}

function blobContract(make: Make): void {
  test('a linked blob is found in its repository only', async () => {
    const { metadata } = await make()
    await pushBlob(metadata, APP, blobDigest('a'))
    expect(await metadata.findBlob({ repository: APP, digest: blobDigest('a') })).toBe(7)
    expect(await metadata.findBlob({ repository: OTHER, digest: blobDigest('a') })).toBeUndefined()
    expect(await metadata.findBlob({ repository: APP, digest: blobDigest('b') })).toBeUndefined()
    expect(await metadata.listBlobRepositories(blobDigest('a'), 10)).toEqual([APP])
  })

  test('an announced blob is not there yet', async () => {
    const { metadata } = await make()
    expect(await metadata.announceBlob({ digest: blobDigest('a'), now: at(0), until: at(1) })).toBe(true)
    expect(await metadata.findBlob({ repository: APP, digest: blobDigest('a') })).toBeUndefined()
  })

  test('mounting links what the source has, and nothing else', async () => {
    const { metadata } = await make()
    await pushBlob(metadata, APP, blobDigest('a'))
    const mount = { repository: OTHER, from: APP, reviewAfter: at(24) }
    expect(await metadata.mountBlob({ ...mount, digest: blobDigest('b') })).toBeUndefined()
    expect(await metadata.mountBlob({ ...mount, digest: blobDigest('a') })).toBe(7)
    expect(await metadata.findBlob({ repository: OTHER, digest: blobDigest('a') })).toBe(7)
  })

  test('unlinking is refused while a manifest names the blob', async () => {
    const { metadata } = await make()
    const unlink = { repository: APP, digest: blobDigest('a'), reviewAfter: at(24) }
    expect(await metadata.unlinkBlob(unlink)).toBe('absent')
    await pushBlob(metadata, APP, blobDigest('a'))
    const image = manifest(APP, 'one', { blobs: [blobDigest('a')] })
    await put(metadata, image, ['v1'])
    expect(await metadata.unlinkBlob(unlink)).toBe('inUse')
    await metadata.deleteManifest({ repository: APP, digest: image.digest, reviewAfter: at(24) })
    expect(await metadata.unlinkBlob(unlink)).toBe('unlinked')
    expect(await metadata.findBlob({ repository: APP, digest: blobDigest('a') })).toBeUndefined()
  })
}

function uploadContract(make: Make): void {
  const upload = {
    id: 'upl_00000001',
    repository: APP,
    algorithm: 'sha256',
    sizeBytes: 0,
    startedAt: at(0),
  } as const
  const claimOf = (claim: string, more: object = {}) => ({
    repository: APP,
    id: upload.id,
    offsetBytes: undefined,
    claim,
    now: at(0),
    until: at(1),
    ...more,
  })

  test('one writer at a time has an upload, until its claim runs out', async () => {
    const { metadata } = await make()
    await metadata.createUpload(upload)
    expect((await metadata.claimUpload(claimOf('first'))).kind).toBe('claimed')
    expect((await metadata.claimUpload(claimOf('second'))).kind).toBe('conflict')
    expect((await metadata.claimUpload(claimOf('second', { now: at(2), until: at(3) }))).kind).toBe('claimed')
    expect(await metadata.renewUpload({ id: upload.id, claim: 'first', until: at(4) })).toBe(false)
    expect(await metadata.releaseUpload({ id: upload.id, claim: 'first', sizeBytes: 9 })).toBe(false)
    expect(await metadata.renewUpload({ id: upload.id, claim: 'second', until: at(4) })).toBe(true)
    expect(await metadata.releaseUpload({ id: upload.id, claim: 'second', sizeBytes: 5 })).toBe(true)
    expect((await metadata.findUpload(APP, upload.id))?.sizeBytes).toBe(5)
  })

  test('a claim at another offset tells where the upload stands', async () => {
    const { metadata } = await make()
    await metadata.createUpload({ ...upload, sizeBytes: 4 })
    const outcome = await metadata.claimUpload(claimOf('first', { offsetBytes: 3 }))
    expect(outcome.kind === 'conflict' && outcome.upload.sizeBytes).toBe(4)
    expect((await metadata.claimUpload(claimOf('first', { offsetBytes: 4 }))).kind).toBe('claimed')
  })

  test('an upload belongs to its repository and is deleted once', async () => {
    const { metadata } = await make()
    await metadata.createUpload(upload)
    expect(await metadata.findUpload(OTHER, upload.id)).toBeUndefined()
    expect((await metadata.claimUpload(claimOf('first', { repository: OTHER }))).kind).toBe('absent')
    expect(await metadata.deleteUpload(OTHER, upload.id)).toBe(false)
    expect(await metadata.deleteUpload(APP, upload.id)).toBe(true)
    expect(await metadata.deleteUpload(APP, upload.id)).toBe(false)
  })

  test('old uploads are listed unless somebody writes to them', async () => {
    const { metadata } = await make()
    await metadata.createUpload(upload)
    expect(await metadata.listStaleUploads({ before: at(0), now: at(1), limit: 10 })).toEqual([])
    expect(await metadata.listStaleUploads({ before: at(1), now: at(1), limit: 10 })).toHaveLength(1)
    await metadata.claimUpload(claimOf('first', { until: at(2) }))
    expect(await metadata.listStaleUploads({ before: at(1), now: at(1), limit: 10 })).toEqual([])
  })
}

function manifestContract(make: Make): void {
  test('a manifest comes back byte for byte, by digest and by tag', async () => {
    const { metadata } = await make()
    const image = manifest(APP, 'one')
    await put(metadata, image, ['v1', 'latest'])
    const found = await metadata.findManifest(APP, image.digest)
    expect(found && Buffer.from(found.bytes).equals(image.bytes)).toBe(true)
    expect(found?.mediaType).toBe(mediaTypes.manifest)
    expect(await metadata.findTag(APP, 'latest')).toBe(image.digest)
    expect(await metadata.findTag(OTHER, 'latest')).toBeUndefined()
    expect(await metadata.findManifest(OTHER, image.digest)).toBeUndefined()
  })

  test('a manifest whose blob is missing changes nothing', async () => {
    const { metadata } = await make()
    const image = manifest(APP, 'one', { blobs: [blobDigest('a')] })
    const outcome = await metadata.putManifest(image, { tags: ['v1'], now: at(0), reviewAfter: at(24) })
    expect(outcome).toEqual({ kind: 'blobMissing', digest: blobDigest('a') })
    expect(await metadata.findTag(APP, 'v1')).toBeUndefined()
    expect(await metadata.findManifest(APP, image.digest)).toBeUndefined()
  })

  test('pushing the same manifest again is no error', async () => {
    const { metadata } = await make()
    await put(metadata, manifest(APP, 'one'), ['v1'])
    await put(metadata, manifest(APP, 'one'), ['v2'])
    expect(await metadata.listTags({ repository: APP, after: undefined, limit: 10 })).toEqual(['v1', 'v2'])
  })

  test('deleting a tag leaves the manifest, deleting the manifest takes all tags', async () => {
    const { metadata } = await make()
    const image = manifest(APP, 'one')
    await put(metadata, image, ['a', 'b', 'c'])
    const where = { repository: APP, reviewAfter: at(24) }
    expect(await metadata.deleteTag({ ...where, tag: 'a' })).toBe('deleted')
    expect(await metadata.deleteTag({ ...where, tag: 'a' })).toBe('absent')
    expect(await metadata.findManifest(APP, image.digest)).toBeDefined()
    expect(await metadata.deleteManifest({ ...where, digest: image.digest })).toBe('deleted')
    expect(await metadata.deleteManifest({ ...where, digest: image.digest })).toBe('absent')
    expect(await metadata.listTags({ repository: APP, after: undefined, limit: 10 })).toEqual([])
  })

  test('a pinned manifest cannot be deleted', async () => {
    const { metadata, pin } = await make()
    const image = manifest(APP, 'one')
    await put(metadata, image, ['v1'])
    await pin(APP, image.digest)
    const where = { repository: APP, digest: image.digest, reviewAfter: at(24) }
    expect(await metadata.deleteManifest(where)).toBe('protected')
    expect(await metadata.findTag(APP, 'v1')).toBe(image.digest)
  })
}

function listContract(make: Make): void {
  test('tags come in byte order, page by page, also after a tag that is gone', async () => {
    const { metadata } = await make()
    await put(metadata, manifest(APP, 'one'), ['b', 'B', '_', '10', '9', 'a.b', 'a-b'])
    const all = await metadata.listTags({ repository: APP, after: undefined, limit: 100 })
    expect(all).toEqual(['10', '9', 'B', '_', 'a-b', 'a.b', 'b'])
    expect(await metadata.listTags({ repository: APP, after: undefined, limit: 2 })).toEqual(['10', '9'])
    expect(await metadata.listTags({ repository: APP, after: '9', limit: 2 })).toEqual(['B', '_'])
    expect(await metadata.listTags({ repository: APP, after: 'a', limit: 1 })).toEqual(['a-b'])
    expect(await metadata.listTags({ repository: APP, after: 'z', limit: 1 })).toEqual([])
  })

  test('repositories are listed in byte order', async () => {
    const { metadata } = await make()
    await put(metadata, manifest(OTHER, 'one'))
    await put(metadata, manifest(APP, 'one'))
    expect(await metadata.hasRepository(APP)).toBe(true)
    expect(await metadata.hasRepository('team/none')).toBe(false)
    expect(await metadata.listRepositories({ after: undefined, limit: 10 })).toEqual([APP, OTHER])
    expect(await metadata.listRepositories({ after: APP, limit: 10 })).toEqual([OTHER])
  })

  test('referrers are found by subject and type, also when the subject comes later', async () => {
    const { metadata } = await make()
    const subject = manifest(APP, 'subject')
    const signature = manifest(APP, 'signature', {
      subject: subject.digest,
      artifactType: 'a/signature',
      annotations: { key: 'value' },
    })
    const sbom = manifest(APP, 'sbom', { subject: subject.digest, artifactType: 'a/sbom' })
    await put(metadata, signature)
    await put(metadata, sbom)
    const query = { repository: APP, subject: subject.digest, after: undefined, limit: 10 }
    const all = await metadata.listReferrers({ ...query, artifactType: undefined })
    expect(all.map((entry) => entry.digest)).toEqual([signature.digest, sbom.digest].sort())
    const [only] = await metadata.listReferrers({ ...query, artifactType: 'a/signature' })
    expect(only).toMatchObject({ annotations: { key: 'value' }, size: signature.bytes.length })
    const second = await metadata.listReferrers({ ...query, artifactType: undefined, after: all[0]?.digest })
    expect(second.map((entry) => entry.digest)).toEqual([all[1]?.digest])
  })
}

async function reviewAt(metadata: RegistryMetadata, now: Date): Promise<readonly [ReviewItem, string][]> {
  const items = await metadata.leaseReviews({ now, leaseUntil: new Date(now.getTime() + 60_000), limit: 100 })
  const settled: [ReviewItem, string][] = []
  for (const item of items) {
    const decision = await metadata.settleReview(item, (facts) => planReview(facts, now, POLICY))
    if (decision.kind === 'removeBlob') await metadata.finishRemoval(item.digest)
    settled.push([item, decision.kind])
  }
  return settled
}

function reviewContract(make: Make): void {
  test('a blob that no manifest came for goes in steps, and can be pushed again in between', async () => {
    const { metadata } = await make()
    const digest = blobDigest('a')
    await pushBlob(metadata, APP, digest)
    expect((await reviewAt(metadata, at(23))).filter(([item]) => item.kind === 'link')).toEqual([])
    await reviewAt(metadata, at(25))
    expect(await metadata.findBlob({ repository: APP, digest })).toBeUndefined()
    await reviewAt(metadata, at(26))
    await pushBlob(metadata, APP, digest, 26)
    await reviewAt(metadata, at(27.5))
    expect(await metadata.findBlob({ repository: APP, digest })).toBeDefined()
  })

  test('HEAD before the review puts it off', async () => {
    const { metadata } = await make()
    const digest = blobDigest('a')
    await pushBlob(metadata, APP, digest)
    await metadata.findBlob({ repository: APP, digest, reviewAfter: at(47) })
    await reviewAt(metadata, at(30))
    expect(await metadata.findBlob({ repository: APP, digest })).toBe(7)
  })

  test('what a tag, an index, a subject or a pin holds stays', async () => {
    const { metadata, pin } = await make()
    const child = manifest(APP, 'child')
    const index = manifest(APP, 'index', { children: [child.digest] })
    const signature = manifest(APP, 'signature', { subject: index.digest })
    const running = manifest(APP, 'running')
    const lost = manifest(APP, 'lost')
    for (const record of [child, signature, running, lost]) await put(metadata, record)
    await put(metadata, index, ['v1'])
    await pin(APP, running.digest)
    await reviewAt(metadata, at(25))
    for (const record of [child, index, signature, running])
      expect(await metadata.findManifest(APP, record.digest)).toBeDefined()
    expect(await metadata.findManifest(APP, lost.digest)).toBeUndefined()
  })

  test('removing an index lets its children and referrers go next', async () => {
    const { metadata } = await make()
    const child = manifest(APP, 'child')
    const index = manifest(APP, 'index', { children: [child.digest] })
    const signature = manifest(APP, 'signature', { subject: index.digest })
    for (const record of [child, signature]) await put(metadata, record)
    await put(metadata, index, ['v1'])
    await reviewAt(metadata, at(25))
    await metadata.deleteTag({ repository: APP, tag: 'v1', reviewAfter: at(49) })
    await reviewAt(metadata, at(50))
    await reviewAt(metadata, at(51))
    for (const record of [child, index, signature])
      expect(await metadata.findManifest(APP, record.digest)).toBeUndefined()
  })

  test('while a blob is being removed nobody may announce it', async () => {
    const { metadata } = await make()
    const digest = blobDigest('a')
    await pushBlob(metadata, APP, digest)
    for (const hours of [25, 25.1]) await reviewAt(metadata, at(hours))
    const now = at(27)
    const items = await metadata.leaseReviews({ now, leaseUntil: at(28), limit: 100 })
    const item = items.find((candidate) => candidate.kind === 'blob')
    expect(item).toBeDefined()
    const decision = item && (await metadata.settleReview(item, (facts) => planReview(facts, now, POLICY)))
    expect(decision?.kind).toBe('removeBlob')
    expect(await metadata.announceBlob({ digest, now, until: at(30) })).toBe(false)
    await metadata.finishRemoval(digest)
    expect(await metadata.announceBlob({ digest, now, until: at(30) })).toBe(true)
  })

  test('a leased review is not given to a second worker', async () => {
    const { metadata } = await make()
    await put(metadata, manifest(APP, 'lost'))
    const lease = { now: at(25), leaseUntil: at(26), limit: 100 }
    expect(await metadata.leaseReviews(lease)).toHaveLength(1)
    expect(await metadata.leaseReviews(lease)).toHaveLength(0)
    expect(await metadata.leaseReviews({ ...lease, now: at(27), leaseUntil: at(28) })).toHaveLength(1)
    expect((await metadata.oldestReview())?.getTime()).toBe(at(24).getTime())
  })
}
