import { sql } from 'kysely'

import type { Db } from '../../tables.ts'

/** By the database's clock, so that those of replicas do not matter. */
export async function markTransfer(
  db: Db,
  mark: { readonly buildId: string; readonly kind: string; readonly seconds: number },
): Promise<void> {
  await sql`insert into build_transfer (build_id, kind, organization_id, until)
    select id, ${mark.kind}, organization_id, clock_timestamp() + make_interval(secs => ${mark.seconds})
    from build_build where id = ${mark.buildId}
    on conflict (build_id, kind) do update set until = excluded.until`.execute(db)
}

export async function endTransfer(db: Db, buildId: string, kind: string): Promise<void> {
  await db.deleteFrom('build_transfer').where('build_id', '=', buildId).where('kind', '=', kind).execute()
}

/** Whether a transfer of this kind comes in at any replica now. */
export async function isTransferring(db: Db, buildId: string, kind: string): Promise<boolean> {
  const row = await db
    .selectFrom('build_transfer')
    .select('build_id')
    .where('build_id', '=', buildId)
    .where('kind', '=', kind)
    .where('until', '>', sql<Date>`clock_timestamp()`)
    .executeTakeFirst()
  return row !== undefined
}
