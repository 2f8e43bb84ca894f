import { jsonb } from '@slipway/db'
import type { Digest, ManifestRecord, PutOutcome } from '@slipway/oci'
import { sql } from 'kysely'

import type { Db } from '../../../tables.ts'
import type { ReviewTable } from '../tables.ts'

/*
 * The registry's rows. Writers of one repository wait for each other at its row; whatever changes a blob holds the blob's row,
 * always after the repository's. So "is it linked?" and "is it still needed?" are answered by what has committed.
 */

export type Repository = { readonly name: string; readonly organizationId: string }

export async function findRepository(db: Db, name: string): Promise<Repository | undefined> {
  const row = await db
    .selectFrom('image_repository')
    .select(['name', 'organization_id'])
    .where('name', '=', name)
    .executeTakeFirst()
  return row && { name: row.name, organizationId: row.organization_id }
}

export async function insertRepository(
  db: Db,
  repository: Repository & {
    readonly projectId: string | null
    readonly applicationId: string | null
    readonly createdAt: Date
  },
): Promise<void> {
  await db
    .insertInto('image_repository')
    .values({
      name: repository.name,
      organization_id: repository.organizationId,
      project_id: repository.projectId,
      application_id: repository.applicationId,
      created_at: repository.createdAt,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Holds the repository until the end of the transaction. */
export async function lockRepository(db: Db, name: string): Promise<Repository | undefined> {
  const row = await db
    .selectFrom('image_repository')
    .select(['name', 'organization_id'])
    .where('name', '=', name)
    .forUpdate()
    .executeTakeFirst()
  return row && { name: row.name, organizationId: row.organization_id }
}

export async function listRepositories(db: Db, after: string | undefined, limit: number): Promise<string[]> {
  let query = db.selectFrom('image_repository').select('name').orderBy('name').limit(limit)
  if (after !== undefined) query = query.where('name', '>', after)
  return (await query.execute()).map(({ name }) => name)
}

/** Puts something before the collector at `reviewAfter`, whatever was said before. */
export async function queueReview(
  db: Db,
  item: Pick<ReviewTable, 'kind' | 'repository' | 'digest'>,
  reviewAfter: Date,
): Promise<void> {
  await db
    .insertInto('image_review')
    .values({ key: reviewKey(item), ...item, review_after: reviewAfter, leased_until: null })
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet({ review_after: reviewAfter, leased_until: null }),
    )
    .execute()
}

export function reviewKey(item: Pick<ReviewTable, 'kind' | 'repository' | 'digest'>): string {
  return item.kind === 'blob' ? `blob ${item.digest}` : `${item.kind} ${item.repository} ${item.digest}`
}

export async function findLiveBlob(db: Db, repository: string, digest: Digest): Promise<number | undefined> {
  const row = await db
    .selectFrom('image_link as l')
    .innerJoin('image_blob as b', 'b.digest', 'l.digest')
    .select('b.size_bytes')
    .where('l.repository', '=', repository)
    .where('l.digest', '=', digest)
    .where('b.state', '=', 'live')
    .executeTakeFirst()
  return row?.size_bytes
}

/** Puts off a review that is queued already. */
export async function postponeReview(db: Db, key: string, reviewAfter: Date): Promise<void> {
  await db.updateTable('image_review').set({ review_after: reviewAfter }).where('key', '=', key).execute()
}

export async function announceBlob(db: Db, digest: Digest, now: Date, until: Date): Promise<boolean> {
  await db
    .insertInto('image_blob')
    .values({
      digest,
      state: 'absent',
      size_bytes: 0,
      protected_until: until,
      absent_since: now,
      removing_until: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const row = await lockBlob(db, digest)
  if (row?.state === 'removing' && row.removing_until !== null && row.removing_until > now) return false
  const state = row?.state === 'live' ? 'live' : 'absent'
  await db
    .updateTable('image_blob')
    .set({ protected_until: until, state })
    .where('digest', '=', digest)
    .execute()
  if (state === 'absent') await queueReview(db, { kind: 'blob', repository: '', digest }, until)
  return true
}

export async function lockBlob(db: Db, digest: Digest) {
  return db.selectFrom('image_blob').selectAll().where('digest', '=', digest).forUpdate().executeTakeFirst()
}

/** What lies in the store of blobs, as far as the rows know. */
export async function liveBlobs(db: Db): Promise<readonly Digest[]> {
  const rows = await db.selectFrom('image_blob').select('digest').where('state', '=', 'live').execute()
  return rows.map(({ digest }) => digest)
}

export async function makeBlobLive(db: Db, digest: Digest, sizeBytes: number): Promise<void> {
  await db
    .insertInto('image_blob')
    .values({
      digest,
      state: 'live',
      size_bytes: sizeBytes,
      protected_until: null,
      absent_since: null,
      removing_until: null,
    })
    .onConflict((conflict) =>
      conflict
        .column('digest')
        .doUpdateSet({ state: 'live', size_bytes: sizeBytes, absent_since: null, removing_until: null }),
    )
    .execute()
}

/** The scrubber took the file away: absent until it is pushed again. */
export async function markDamaged(db: Db, digest: Digest, now: Date): Promise<void> {
  await db
    .updateTable('image_blob')
    .set({ state: 'absent', absent_since: now })
    .where('digest', '=', digest)
    .execute()
}

export async function linkBlob(
  db: Db,
  repository: Repository,
  digest: Digest,
  reviewAfter: Date,
): Promise<void> {
  await db
    .insertInto('image_link')
    .values({ repository: repository.name, digest, organization_id: repository.organizationId })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  await queueReview(db, { kind: 'link', repository: repository.name, digest }, reviewAfter)
}

export async function deleteLink(
  db: Db,
  repository: string,
  digest: Digest,
  reviewAfter: Date,
): Promise<void> {
  await queueReview(db, { kind: 'blob', repository: '', digest }, reviewAfter)
  await db
    .deleteFrom('image_link')
    .where('repository', '=', repository)
    .where('digest', '=', digest)
    .execute()
}

export async function isReferenced(db: Db, repository: string, digest: Digest): Promise<boolean> {
  const row = await db
    .selectFrom('image_manifest')
    .select('digest')
    .where('repository', '=', repository)
    .where(sql<boolean>`blobs @> array[${digest}]::text[]`)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

export async function repositoriesOfBlob(db: Db, digest: Digest, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('image_link as l')
    .innerJoin('image_blob as b', 'b.digest', 'l.digest')
    .select('l.repository')
    .where('l.digest', '=', digest)
    .where('b.state', '=', 'live')
    .orderBy('l.repository')
    .limit(limit)
    .execute()
  return rows.map(({ repository }) => repository)
}

export async function findManifest(
  db: Db,
  repository: string,
  digest: Digest,
): Promise<{ mediaType: string; bytes: Uint8Array } | undefined> {
  const row = await db
    .selectFrom('image_manifest')
    .select(['media_type', 'bytes'])
    .where('repository', '=', repository)
    .where('digest', '=', digest)
    .executeTakeFirst()
  return row && { mediaType: row.media_type, bytes: row.bytes }
}

export async function findTag(db: Db, repository: string, tag: string): Promise<Digest | undefined> {
  const row = await db
    .selectFrom('image_tag')
    .select('digest')
    .where('repository', '=', repository)
    .where('tag', '=', tag)
    .executeTakeFirst()
  return row?.digest
}

/** Tags that builds set never move to another Image. */
const FIXED_TAG = /^build-[0-9]{1,10}$/u

/** Stores a manifest and sets tags. The repository is locked. */
export async function putManifest(
  db: Db,
  repository: Repository,
  manifest: ManifestRecord,
  change: { readonly tags: readonly string[]; readonly now: Date; readonly reviewAfter: Date },
): Promise<PutOutcome> {
  const { name } = repository
  const missing = await missingBlob(db, name, manifest.blobs)
  if (missing !== undefined) return { kind: 'blobMissing', digest: missing }
  const moved = await heldElsewhere(db, name, change.tags, manifest.digest)
  const fixed = moved.find(({ tag }) => FIXED_TAG.test(tag))
  if (fixed) return { kind: 'tagImmutable', tag: fixed.tag }
  await db
    .insertInto('image_manifest')
    .values({
      repository: name,
      digest: manifest.digest,
      organization_id: repository.organizationId,
      media_type: manifest.mediaType,
      bytes: Buffer.from(manifest.bytes),
      artifact_type: manifest.artifactType ?? null,
      annotations: jsonb(manifest.annotations),
      subject: manifest.subject ?? null,
      blobs: [...manifest.blobs],
      children: [...manifest.children],
      pushed_at: change.now,
    })
    .onConflict((conflict) =>
      conflict.columns(['repository', 'digest']).doUpdateSet({ pushed_at: change.now }),
    )
    .execute()
  for (const { digest } of moved)
    await queueReview(db, { kind: 'manifest', repository: name, digest }, change.reviewAfter)
  for (const tag of change.tags) await setTag(db, repository, tag, manifest.digest)
  if (change.tags.length === 0)
    await queueReview(db, { kind: 'manifest', repository: name, digest: manifest.digest }, change.reviewAfter)
  return { kind: 'stored' }
}

export async function setTag(db: Db, repository: Repository, tag: string, digest: Digest): Promise<void> {
  await db
    .insertInto('image_tag')
    .values({ repository: repository.name, tag, organization_id: repository.organizationId, digest })
    .onConflict((conflict) => conflict.columns(['repository', 'tag']).doUpdateSet({ digest }))
    .execute()
}

async function missingBlob(
  db: Db,
  repository: string,
  blobs: readonly Digest[],
): Promise<Digest | undefined> {
  if (blobs.length === 0) return undefined
  const rows = await db
    .selectFrom('image_link as l')
    .innerJoin('image_blob as b', 'b.digest', 'l.digest')
    .select('l.digest')
    .where('l.repository', '=', repository)
    .where('b.state', '=', 'live')
    .where('l.digest', 'in', [...new Set(blobs)])
    .execute()
  const there = new Set(rows.map(({ digest }) => digest))
  return blobs.find((digest) => !there.has(digest))
}

async function heldElsewhere(db: Db, repository: string, tags: readonly string[], digest: Digest) {
  if (tags.length === 0) return []
  return db
    .selectFrom('image_tag')
    .select(['tag', 'digest'])
    .where('repository', '=', repository)
    .where('tag', 'in', [...tags])
    .where('digest', '!=', digest)
    .execute()
}

export async function deleteTag(db: Db, repository: string, tag: string): Promise<void> {
  await db.deleteFrom('image_tag').where('repository', '=', repository).where('tag', '=', tag).execute()
}

/** Deletes a manifest with its tags and queues what may now be without an owner. The repository is locked. */
export async function deleteManifest(
  db: Db,
  repository: string,
  digest: Digest,
  reviewAfter: Date,
): Promise<boolean> {
  const row = await db
    .deleteFrom('image_manifest')
    .where('repository', '=', repository)
    .where('digest', '=', digest)
    .returning(['blobs', 'children'])
    .executeTakeFirst()
  if (!row) return false
  for (const blob of new Set(row.blobs))
    await queueReview(db, { kind: 'link', repository, digest: blob }, reviewAfter)
  const orphans = await db
    .selectFrom('image_manifest')
    .select('digest')
    .where('repository', '=', repository)
    .where((e) =>
      e.or([e('subject', '=', digest), e('digest', '=', e.fn.any(e.val<Digest[]>([...row.children])))]),
    )
    .execute()
  for (const orphan of orphans)
    await queueReview(db, { kind: 'manifest', repository, digest: orphan.digest }, reviewAfter)
  return true
}

export async function listTags(
  db: Db,
  repository: string,
  after: string | undefined,
  limit: number,
): Promise<string[]> {
  let query = db
    .selectFrom('image_tag')
    .select('tag')
    .where('repository', '=', repository)
    .orderBy('tag')
    .limit(limit)
  if (after !== undefined) query = query.where('tag', '>', after)
  return (await query.execute()).map(({ tag }) => tag)
}

export async function listReferrers(
  db: Db,
  page: {
    readonly repository: string
    readonly subject: Digest
    readonly artifactType: string | undefined
    readonly after: Digest | undefined
    readonly limit: number
  },
) {
  let query = db
    .selectFrom('image_manifest')
    .select(['digest', 'media_type', 'annotations', 'artifact_type'])
    .select(sql<number>`octet_length(bytes)`.as('size'))
    .where('repository', '=', page.repository)
    .where('subject', '=', page.subject)
    .orderBy('digest')
    .limit(page.limit)
  if (page.artifactType !== undefined) query = query.where('artifact_type', '=', page.artifactType)
  if (page.after !== undefined) query = query.where('digest', '>', page.after)
  return (await query.execute()).map((row) => ({
    mediaType: row.media_type,
    digest: row.digest,
    size: row.size,
    annotations: row.annotations,
    artifactType: row.artifact_type ?? undefined,
  }))
}
