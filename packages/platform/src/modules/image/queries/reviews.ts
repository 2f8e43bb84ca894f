import type { Digest, ReviewDecision, ReviewFacts, ReviewItem } from '@slipway/oci'
import { sql } from 'kysely'

import type { Db } from '../../../tables.ts'
import type { ReviewTable } from '../tables.ts'
import { deleteLink, deleteManifest, isReferenced, lockBlob, queueReview, reviewKey } from './registry.ts'

export async function leaseReviews(
  db: Db,
  now: Date,
  leaseUntil: Date,
  limit: number,
): Promise<ReviewItem[]> {
  const due = await db
    .selectFrom('image_review')
    .selectAll()
    .where('review_after', '<=', now)
    .where((e) => e.or([e('leased_until', 'is', null), e('leased_until', '<=', now)]))
    .orderBy('review_after')
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute()
  if (due.length > 0)
    await db
      .updateTable('image_review')
      .set({ leased_until: leaseUntil })
      .where(
        'key',
        'in',
        due.map(({ key }) => key),
      )
      .execute()
  return due.map(itemOf)
}

function itemOf({ kind, repository, digest }: ReviewTable): ReviewItem {
  return kind === 'blob' ? { kind, digest } : { kind, repository, digest }
}

export function rowOf(item: ReviewItem): Pick<ReviewTable, 'kind' | 'repository' | 'digest'> {
  return {
    kind: item.kind,
    repository: item.kind === 'blob' ? '' : item.repository,
    digest: item.digest,
  }
}

/** Takes a review off the queue; when it had to come back. Whoever has it decides it in the same transaction. */
export async function takeReview(db: Db, item: ReviewItem): Promise<Date | undefined> {
  const row = await db
    .deleteFrom('image_review')
    .where('key', '=', reviewKey(rowOf(item)))
    .returning('review_after')
    .executeTakeFirst()
  return row?.review_after
}

/** What the decision needs to know. The repository or blob is locked. */
export async function readFacts(
  db: Db,
  item: ReviewItem,
  reviewAfter: Date,
  isPinned: (repository: string, digest: Digest) => Promise<boolean>,
): Promise<ReviewFacts> {
  if (item.kind === 'blob') {
    const row = await lockBlob(db, item.digest)
    return {
      kind: 'blob',
      state: row?.state ?? 'gone',
      reviewAfter,
      linked: await isLinked(db, item.digest),
      protectedUntil: row?.protected_until ?? undefined,
      absentSince: row?.absent_since ?? undefined,
    }
  }
  const { repository, digest } = item
  if (item.kind === 'link') {
    const link = await db
      .selectFrom('image_link')
      .select('digest')
      .where('repository', '=', repository)
      .where('digest', '=', digest)
      .executeTakeFirst()
    const referenced = await isReferenced(db, repository, digest)
    return { kind: 'link', present: link !== undefined, reviewAfter, referenced }
  }
  const held = await holdersOf(db, repository, digest)
  return { kind: 'manifest', reviewAfter, ...held, pinned: await isPinned(repository, digest) }
}

async function isLinked(db: Db, digest: Digest): Promise<boolean> {
  const row = await db
    .selectFrom('image_link')
    .select('digest')
    .where('digest', '=', digest)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

async function holdersOf(
  db: Db,
  repository: string,
  digest: Digest,
): Promise<{ present: boolean; tagged: boolean; hasParent: boolean; hasSubject: boolean }> {
  const result = await sql<{ present: boolean; tagged: boolean; parent: boolean; subject: boolean }>`
    select
      exists (select 1 from image_manifest where repository = ${repository} and digest = ${digest}) as present,
      exists (select 1 from image_tag where repository = ${repository} and digest = ${digest}) as tagged,
      exists (select 1 from image_manifest where repository = ${repository} and children @> array[${digest}]::text[]) as parent,
      exists (select 1 from image_manifest m join image_manifest s on s.repository = m.repository and s.digest = m.subject
        where m.repository = ${repository} and m.digest = ${digest}) as subject`.execute(db)
  const row = result.rows[0]
  return {
    present: row?.present === true,
    tagged: row?.tagged === true,
    hasParent: row?.parent === true,
    hasSubject: row?.subject === true,
  }
}

/** Carries a decision out. */
export async function applyDecision(db: Db, item: ReviewItem, decision: ReviewDecision): Promise<void> {
  const row = rowOf(item)
  switch (decision.kind) {
    case 'keep':
      return
    case 'postpone':
      return queueReview(db, row, decision.until)
    case 'removeManifest':
      await deleteManifest(db, row.repository, row.digest, decision.reviewAfter)
      return
    case 'removeLink':
      return deleteLink(db, row.repository, row.digest, decision.reviewAfter)
    case 'hideBlob':
      await db
        .updateTable('image_blob')
        .set({ state: 'absent', absent_since: decision.absentSince })
        .where('digest', '=', row.digest)
        .execute()
      return queueReview(db, row, decision.reviewAfter)
    case 'removeBlob':
      await db
        .updateTable('image_blob')
        .set({ state: 'removing', removing_until: decision.leaseUntil })
        .where('digest', '=', row.digest)
        .execute()
      return queueReview(db, row, decision.leaseUntil)
  }
}

export async function finishRemoval(db: Db, digest: Digest): Promise<void> {
  const gone = await db
    .deleteFrom('image_blob')
    .where('digest', '=', digest)
    .where('state', '=', 'removing')
    .executeTakeFirst()
  if (gone.numDeletedRows === 0n) return
  await db
    .deleteFrom('image_review')
    .where('key', '=', reviewKey({ kind: 'blob', repository: '', digest }))
    .execute()
}

export async function oldestReview(db: Db): Promise<Date | undefined> {
  const row = await db
    .selectFrom('image_review')
    .select('review_after')
    .orderBy('review_after')
    .limit(1)
    .executeTakeFirst()
  return row?.review_after
}
