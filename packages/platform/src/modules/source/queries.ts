import type { Db } from '../../tables.ts'
import type { Source } from './model.ts'
import type { SourceTable } from './tables.ts'

export async function findSource(db: Db, applicationId: string): Promise<Source | undefined> {
  const row = await db
    .selectFrom('source_source')
    .selectAll()
    .where('application_id', '=', applicationId)
    .executeTakeFirst()
  return row && sourceOf(row)
}

export async function putSource(db: Db, source: Source): Promise<void> {
  const values = {
    url: source.url,
    default_branch: source.defaultBranch,
    credential_kind: source.credentials?.kind ?? null,
    credentials: source.credentials?.sealed ?? null,
    username: source.credentials?.username ?? null,
    version: source.version,
    updated_at: source.updatedAt,
  }
  await db
    .insertInto('source_source')
    .values({
      application_id: source.applicationId,
      organization_id: source.organizationId,
      project_id: source.projectId,
      ...values,
    })
    .onConflict((conflict) => conflict.column('application_id').doUpdateSet(values))
    .execute()
}

export async function deleteSource(db: Db, applicationId: string): Promise<void> {
  await db.deleteFrom('source_source').where('application_id', '=', applicationId).execute()
}

const BELOW_MAX = 1_000

/** Sources that are repositories below a folder of this machine. */
export async function sourcesBelow(db: Db, folder: string): Promise<readonly Source[]> {
  const rows = await db
    .selectFrom('source_source')
    .selectAll()
    .where((e) => e.fn<boolean>('starts_with', ['url', e.val(`${folder}/`)]))
    .orderBy('application_id')
    .limit(BELOW_MAX)
    .execute()
  return rows.map(sourceOf)
}

function sourceOf(row: SourceTable): Source {
  return {
    applicationId: row.application_id,
    organizationId: row.organization_id,
    projectId: row.project_id,
    url: row.url,
    defaultBranch: row.default_branch,
    credentials:
      row.credential_kind === null || row.credentials === null
        ? null
        : { kind: row.credential_kind, username: row.username ?? '', sealed: row.credentials },
    version: row.version,
    updatedAt: row.updated_at,
  }
}
