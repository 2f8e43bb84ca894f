/* Uploads under way: who may write to them, how much they have. */
import type { Upload, UploadClaim } from '@slipway/oci'

import type { Db } from '../../../tables.ts'
import type { Repository } from './registry.ts'

export async function insertUpload(db: Db, repository: Repository, upload: Upload): Promise<void> {
  await db
    .insertInto('image_upload')
    .values({
      id: upload.id,
      repository: repository.name,
      organization_id: repository.organizationId,
      algorithm: upload.algorithm,
      size_bytes: upload.sizeBytes,
      started_at: upload.startedAt,
      claim: null,
      claimed_until: null,
    })
    .execute()
}

export async function findUpload(db: Db, repository: string, id: string): Promise<Upload | undefined> {
  const row = await db
    .selectFrom('image_upload')
    .selectAll()
    .where('id', '=', id)
    .where('repository', '=', repository)
    .executeTakeFirst()
  return row && uploadOf(row)
}

function uploadOf(row: {
  readonly id: string
  readonly repository: string
  readonly algorithm: Upload['algorithm']
  readonly size_bytes: number
  readonly started_at: Date
}): Upload {
  return {
    id: row.id,
    repository: row.repository,
    algorithm: row.algorithm,
    sizeBytes: row.size_bytes,
    startedAt: row.started_at,
  }
}

type Claim = {
  readonly repository: string
  readonly id: string
  readonly offsetBytes: number | undefined
  readonly claim: string
  readonly now: Date
  readonly until: Date
}

export async function claimUpload(db: Db, claim: Claim): Promise<UploadClaim> {
  const row = await db
    .selectFrom('image_upload')
    .selectAll()
    .where('id', '=', claim.id)
    .where('repository', '=', claim.repository)
    .forUpdate()
    .executeTakeFirst()
  if (!row) return { kind: 'absent' }
  const upload = uploadOf(row)
  const isHeld = row.claimed_until !== null && row.claimed_until > claim.now
  if (isHeld || (claim.offsetBytes !== undefined && claim.offsetBytes !== row.size_bytes))
    return { kind: 'conflict', upload }
  await db
    .updateTable('image_upload')
    .set({ claim: claim.claim, claimed_until: claim.until })
    .where('id', '=', claim.id)
    .execute()
  return { kind: 'claimed', upload }
}

export async function renewUpload(db: Db, id: string, claim: string, until: Date): Promise<boolean> {
  const result = await db
    .updateTable('image_upload')
    .set({ claimed_until: until })
    .where('id', '=', id)
    .where('claim', '=', claim)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

export async function releaseUpload(db: Db, id: string, claim: string, sizeBytes: number): Promise<boolean> {
  const result = await db
    .updateTable('image_upload')
    .set({ claim: null, claimed_until: null, size_bytes: sizeBytes })
    .where('id', '=', id)
    .where('claim', '=', claim)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

export async function deleteUpload(db: Db, repository: string, id: string): Promise<boolean> {
  const result = await db
    .deleteFrom('image_upload')
    .where('id', '=', id)
    .where('repository', '=', repository)
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}

export async function staleUploads(db: Db, before: Date, now: Date, limit: number): Promise<Upload[]> {
  const rows = await db
    .selectFrom('image_upload')
    .selectAll()
    .where('started_at', '<', before)
    .where((e) => e.or([e('claimed_until', 'is', null), e('claimed_until', '<=', now)]))
    .orderBy('started_at')
    .limit(limit)
    .execute()
  return rows.map(uploadOf)
}
