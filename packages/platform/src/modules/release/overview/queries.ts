import { countUpTo, newestFirst } from '@slipway/db'
import { sql, type Selectable } from 'kysely'

import type { Db } from '../../../tables.ts'
import { isOneOf } from '../../access/index.ts'
import type { HealthTable, ReleaseTable } from '../tables.ts'
import type { Brief, BriefFilter, Health } from './model.ts'

const columns = [
  'id',
  'workload_id',
  'number',
  'image',
  'from_id',
  'state',
  'paused',
  'batch',
  'weight',
  'counts',
  'reason',
  'created_by',
  'created_at',
  'state_since',
  'ended_at',
] as const

function briefs(db: Db) {
  return db
    .selectFrom('release_release')
    .select([...columns, sql<number>`jsonb_array_length(batches)`.as('batches')])
}

function narrowed(db: Db, filter: BriefFilter) {
  let query = briefs(db).where(isOneOf('workload_id', filter.workloads))
  const { states, open, since, match } = filter
  if (states !== undefined) query = query.where(isOneOf('state', states))
  if (open === true) query = query.where('ended_at', 'is', null)
  if (since !== undefined) query = query.where('created_at', '>=', since)
  if (match !== undefined)
    query = query.where((e) =>
      e.or([
        isOneOf('workload_id', match.workloads),
        sql<boolean>`position(${match.text} in lower(image)) > 0`,
      ]),
    )
  return query
}

/** One row more than the limit, newest first. */
export async function listBriefs(
  db: Db,
  filter: BriefFilter,
  page: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<Brief[]> {
  return (await newestFirst(narrowed(db, filter), page).execute()).map(briefOf)
}

/** How many there are; counting stops at the most. */
export async function countBriefs(db: Db, filter: BriefFilter, most: number): Promise<number> {
  return countUpTo(db, narrowed(db, filter), most)
}

export type Rollout = { readonly serving: Brief | undefined; readonly active: Brief | undefined }

/** What serves and what is under way, by Workload. */
export async function findRollouts(
  db: Db,
  workloads: readonly string[],
): Promise<(workloadId: string) => Rollout> {
  const heads = await db
    .selectFrom('release_workload')
    .select('serving_id')
    .where(isOneOf('workload_id', workloads))
    .execute()
  const serving = heads.flatMap(({ serving_id: id }) => (id === null ? [] : [id]))
  const served = (await briefs(db).where(isOneOf('id', serving)).execute()).map(briefOf)
  const open = (
    await briefs(db).where(isOneOf('workload_id', workloads)).where('ended_at', 'is', null).execute()
  ).map(briefOf)
  const servingOf = new Map(served.map((one) => [one.workloadId, one]))
  const activeOf = new Map(open.map((one) => [one.workloadId, one]))
  return (id) => ({ serving: servingOf.get(id), active: activeOf.get(id) })
}

/** How Workloads are, by id. */
export async function findHealths(
  db: Db,
  workloads: readonly string[],
): Promise<ReadonlyMap<string, Health>> {
  const rows = await db
    .selectFrom('release_health')
    .selectAll()
    .where(isOneOf('workload_id', workloads))
    .execute()
  return new Map(rows.map((row) => [row.workload_id, healthOf(row)]))
}

export async function findHealth(db: Db, workloadId: string): Promise<Health | undefined> {
  const row = await db
    .selectFrom('release_health')
    .selectAll()
    .where('workload_id', '=', workloadId)
    .executeTakeFirst()
  return row && healthOf(row)
}

export async function putHealth(db: Db, health: Health): Promise<void> {
  const values = {
    organization_id: health.organizationId,
    health: health.health,
    since: health.since,
    ready: health.ready,
    wanted: health.wanted,
    trouble: health.trouble,
  }
  await db
    .insertInto('release_health')
    .values({ workload_id: health.workloadId, ...values })
    .onConflict((conflict) => conflict.column('workload_id').doUpdateSet(values))
    .execute()
}

type Row = Pick<Selectable<ReleaseTable>, (typeof columns)[number]> & { readonly batches: number }

function briefOf(row: Row): Brief {
  return {
    id: row.id,
    workloadId: row.workload_id,
    number: row.number,
    image: row.image,
    fromId: row.from_id,
    state: row.state,
    paused: row.paused,
    batch: row.batch,
    batches: row.batches,
    weight: row.weight,
    counts: row.counts,
    reason: row.reason,
    createdBy: row.created_by,
    createdAt: row.created_at,
    stateSince: row.state_since,
    endedAt: row.ended_at,
  }
}

function healthOf(row: Selectable<HealthTable>): Health {
  return {
    workloadId: row.workload_id,
    organizationId: row.organization_id,
    health: row.health,
    since: row.since,
    ready: row.ready,
    wanted: row.wanted,
    trouble: row.trouble,
  }
}
