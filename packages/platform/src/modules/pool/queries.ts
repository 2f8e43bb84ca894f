import { isUniqueViolation, jsonb } from '@slipway/db'
import { decodeCursor, decodeTimeCursor } from '@slipway/kit'

import type { Db } from '../../tables.ts'
import { isOneOf, isVisible, type ProjectFilter } from '../access/index.ts'
import { poolErrors } from './errors.ts'
import type { Pool, Rent } from './model.ts'
import type { PoolTable, RentTable } from './tables.ts'

type PageInput = { readonly limit: number; readonly cursor?: string | undefined }
/** A Cluster has dozens at most. */
const POOLS_MAX = 1_000

/** The oldest first. */
export async function poolsOf(db: Db, clusterId: string): Promise<Pool[]> {
  const rows = await db
    .selectFrom('pool_pool')
    .selectAll()
    .where('cluster_id', '=', clusterId)
    .orderBy('created_at')
    .orderBy('id')
    .limit(POOLS_MAX)
    .execute()
  return rows.map(poolOf)
}

/** One row more than the limit, by slug and id. */
export async function listPools(
  db: Db,
  { limit, cursor, cluster }: PageInput & { readonly cluster?: string | undefined },
): Promise<Pool[]> {
  let query = db
    .selectFrom('pool_pool')
    .selectAll()
    .orderBy('slug')
    .orderBy('id')
    .limit(limit + 1)
  if (cluster !== undefined) query = query.where('cluster_id', '=', cluster)
  if (cursor !== undefined) {
    const [slug = '', id = ''] = decodeCursor(cursor, 2)
    query = query.where((e) => e(e.refTuple('slug', 'id'), '>', e.tuple(slug, id)))
  }
  return (await query.execute()).map(poolOf)
}

export async function findPool(db: Db, id: string): Promise<Pool | undefined> {
  const row = await db.selectFrom('pool_pool').selectAll().where('id', '=', id).executeTakeFirst()
  return row && poolOf(row)
}

/** Short names of Pools by id. */
export async function poolSlugs(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await db
    .selectFrom('pool_pool')
    .select(['id', 'slug'])
    .where(isOneOf('id', ids))
    .limit(10_000)
    .execute()
  return new Map(rows.map(({ id, slug }) => [id, slug]))
}

/** The Pool, locked until the transaction ends: whoever else changes it waits. */
export async function lockPool(db: Db, id: string): Promise<Pool | undefined> {
  const row = await db.selectFrom('pool_pool').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
  return row && poolOf(row)
}

/** @throws {AppError} `pool_slug_taken` */
export async function insertPool(db: Db, pool: Pool): Promise<void> {
  try {
    await db
      .insertInto('pool_pool')
      .values({
        id: pool.id,
        cluster_id: pool.clusterId,
        slug: pool.slug,
        created_at: pool.createdAt,
        ...valuesOf(pool),
      })
      .execute()
  } catch (thrown) {
    if (isUniqueViolation(thrown)) throw poolErrors.pool_slug_taken({ pool: pool.slug }, { cause: thrown })
    throw thrown
  }
}

export async function updatePool(db: Db, pool: Pool): Promise<void> {
  await db.updateTable('pool_pool').set(valuesOf(pool)).where('id', '=', pool.id).execute()
}

function valuesOf(pool: Pool) {
  return {
    name: pool.name,
    exclusive: pool.exclusive,
    selector: pool.selector === null ? null : jsonb(pool.selector),
    nodes: [...pool.nodes],
    members: jsonb(pool.members),
    problem: pool.problem === null ? null : jsonb(pool.problem),
    deleting: pool.deleting,
  }
}

export async function deletePool(db: Db, id: string): Promise<void> {
  await db.deleteFrom('pool_pool').where('id', '=', id).execute()
}

/** Rents whose moment has not come, of a Cluster or of all. */
export async function openRents(db: Db, now: Date, clusterId?: string): Promise<Rent[]> {
  let query = db
    .selectFrom('pool_rent')
    .selectAll()
    .where('ended_at', 'is', null)
    .where('rented_until', '>', now)
    .orderBy('id')
    .limit(10_000)
  if (clusterId !== undefined) query = query.where('cluster_id', '=', clusterId)
  return (await query.execute()).map(rentOf)
}

/** Writes down that the moment of rents has come. */
export async function endDueRents(db: Db, now: Date): Promise<void> {
  await db
    .updateTable('pool_rent')
    .set((e) => ({ ended_at: e.ref('rented_until') }))
    .where('ended_at', 'is', null)
    .where('rented_until', '<=', now)
    .execute()
}

/** Inserts a rent, or writes over the one with the same id. @throws {AppError} `pool_default_taken` */
export async function putRent(db: Db, rent: Rent): Promise<void> {
  const values = {
    is_default: rent.isDefault,
    comment: rent.comment,
    rented_by: rent.rentedBy,
    rented_until: rent.until,
    ended_at: rent.endedAt,
  }
  try {
    await db
      .insertInto('pool_rent')
      .values({
        id: rent.id,
        pool_id: rent.poolId,
        cluster_id: rent.clusterId,
        organization_id: rent.organizationId,
        project_id: rent.projectId,
        rented_from: rent.from,
        ...values,
      })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(values))
      .execute()
  } catch (thrown) {
    if (isUniqueViolation(thrown)) throw poolErrors.pool_default_taken(undefined, { cause: thrown })
    throw thrown
  }
}

export type RentFilter = {
  readonly visible: ProjectFilter
  readonly project?: string | undefined
  readonly pool?: string | undefined
  /** Only those that run at this moment, or that do not. */
  readonly open?: boolean | undefined
  /** Only those that end before, or not before. */
  readonly endsBefore?: Date | undefined
  readonly endsFrom?: Date | undefined
}

/** One row more than the limit, the latest end first. */
export async function listRents(
  db: Db,
  filter: RentFilter,
  page: PageInput & { readonly now: Date },
): Promise<Rent[]> {
  const { visible, project, pool, open, endsBefore, endsFrom } = filter
  let query = db
    .selectFrom('pool_rent')
    .selectAll()
    .where(isVisible(visible, { organization: 'organization_id', project: 'project_id' }))
    .orderBy('rented_until', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
  if (project !== undefined) query = query.where('project_id', '=', project)
  if (pool !== undefined) query = query.where('pool_id', '=', pool)
  if (open === true) query = query.where('ended_at', 'is', null).where('rented_until', '>', page.now)
  if (open === false)
    query = query.where((e) => e.or([e('ended_at', 'is not', null), e('rented_until', '<=', page.now)]))
  if (endsBefore !== undefined) query = query.where('rented_until', '<=', endsBefore)
  if (endsFrom !== undefined) query = query.where('rented_until', '>', endsFrom)
  if (page.cursor !== undefined) {
    const [at, id] = decodeTimeCursor(page.cursor)
    query = query.where((e) => e(e.refTuple('rented_until', 'id'), '<', e.tuple(at, id)))
  }
  return (await query.execute()).map(rentOf)
}

function poolOf(row: PoolTable): Pool {
  return {
    id: row.id,
    clusterId: row.cluster_id,
    slug: row.slug,
    name: row.name,
    exclusive: row.exclusive,
    selector: row.selector,
    nodes: row.nodes,
    members: row.members,
    problem: row.problem,
    deleting: row.deleting,
    createdAt: row.created_at,
  }
}

function rentOf(row: RentTable): Rent {
  return {
    id: row.id,
    poolId: row.pool_id,
    clusterId: row.cluster_id,
    organizationId: row.organization_id,
    projectId: row.project_id,
    isDefault: row.is_default,
    comment: row.comment,
    rentedBy: row.rented_by,
    from: row.rented_from,
    until: row.rented_until,
    endedAt: row.ended_at,
  }
}
