import type { LocationGrantState } from '@slipway/contract'
import { isUniqueViolation } from '@slipway/db'
import { decodeCursor, decodeTimeCursor } from '@slipway/kit'

import type { Db } from '../../tables.ts'
import { isVisible, type ProjectFilter } from '../access/index.ts'
import { locationErrors } from './errors.ts'
import type { Location, LocationGrant } from './model.ts'
import type { LocationGrantTable, LocationTable } from './tables.ts'

type PageInput = { readonly limit: number; readonly cursor?: string | undefined }
/** An installation has dozens at most. */
const LOCATIONS_MAX = 1_000

export async function allLocations(db: Db): Promise<Location[]> {
  const rows = await db
    .selectFrom('location_location')
    .selectAll()
    .orderBy('slug')
    .limit(LOCATIONS_MAX)
    .execute()
  return rows.map(locationOf)
}

/** One row more than the limit, by slug. */
export async function listLocations(db: Db, page: PageInput): Promise<Location[]> {
  let query = db
    .selectFrom('location_location')
    .selectAll()
    .orderBy('slug')
    .limit(page.limit + 1)
  if (page.cursor !== undefined) query = query.where('slug', '>', decodeCursor(page.cursor, 1)[0] ?? '')
  return (await query.execute()).map(locationOf)
}

export async function findLocation(db: Db, id: string): Promise<Location | undefined> {
  const row = await db.selectFrom('location_location').selectAll().where('id', '=', id).executeTakeFirst()
  return row && locationOf(row)
}

/** Inserts a Location, or writes over the one with the same id. A new default takes the place of the old one. */
export async function putLocation(db: Db, location: Location): Promise<void> {
  if (location.isDefault)
    await db
      .updateTable('location_location')
      .set({ is_default: false })
      .where('is_default', '=', true)
      .execute()
  const values = {
    slug: location.slug,
    name: location.name,
    is_default: location.isDefault,
    restricted: location.restricted,
  }
  try {
    await db
      .insertInto('location_location')
      .values({ id: location.id, created_at: location.createdAt, ...values })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(values))
      .execute()
  } catch (thrown) {
    if (isUniqueViolation(thrown))
      throw locationErrors.location_slug_taken({ slug: location.slug }, { cause: thrown })
    throw thrown
  }
}

export async function deleteLocation(db: Db, id: string): Promise<void> {
  await db.deleteFrom('location_location').where('id', '=', id).execute()
}

/** Location by Cluster; Clusters that name none are left out. */
export async function namedLocations(db: Db): Promise<ReadonlyMap<string, string>> {
  const rows = await db.selectFrom('location_cluster').selectAll().limit(10_000).execute()
  return new Map(rows.map((row) => [row.cluster_id, row.location_id]))
}

export async function nameLocation(db: Db, clusterId: string, locationId: string): Promise<void> {
  await db
    .insertInto('location_cluster')
    .values({ cluster_id: clusterId, location_id: locationId })
    .onConflict((conflict) => conflict.column('cluster_id').doUpdateSet({ location_id: locationId }))
    .execute()
}

export async function findGrant(db: Db, id: string): Promise<LocationGrant | undefined> {
  const row = await db.selectFrom('location_grant').selectAll().where('id', '=', id).executeTakeFirst()
  return row && grantOf(row)
}

export async function findGrantOf(
  db: Db,
  projectId: string,
  locationId: string,
): Promise<LocationGrant | undefined> {
  const row = await db
    .selectFrom('location_grant')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('location_id', '=', locationId)
    .executeTakeFirst()
  return row && grantOf(row)
}

export async function putGrant(db: Db, grant: LocationGrant): Promise<void> {
  const values = {
    state: grant.state,
    reason: grant.reason,
    requested_by: grant.requestedBy,
    requested_at: grant.requestedAt,
    decided_by: grant.decidedBy,
    decided_at: grant.decidedAt,
    granted_until: grant.until,
    comment: grant.comment,
  }
  await db
    .insertInto('location_grant')
    .values({
      id: grant.id,
      organization_id: grant.organizationId,
      project_id: grant.projectId,
      location_id: grant.locationId,
      ...values,
    })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(values))
    .execute()
}

export type GrantFilter = {
  readonly visible: ProjectFilter
  readonly project?: string | undefined
  readonly location?: string | undefined
  readonly state?: LocationGrantState | undefined
  /** The moment at which grants with an end stand as they do. */
  readonly now: Date
}

/** One row more than the limit, the newest first. */
export async function listGrants(db: Db, filter: GrantFilter, page: PageInput): Promise<LocationGrant[]> {
  let query = db
    .selectFrom('location_grant')
    .selectAll()
    .where(isVisible(filter.visible, { organization: 'organization_id', project: 'project_id' }))
    .orderBy('requested_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
  const { project, location, state, now } = filter
  if (project !== undefined) query = query.where('project_id', '=', project)
  if (location !== undefined) query = query.where('location_id', '=', location)
  if (state !== undefined) query = query.where('state', '=', state === 'Ended' ? 'Granted' : state)
  if (state === 'Ended') query = query.where('granted_until', '<=', now)
  if (state === 'Granted')
    query = query.where((e) => e.or([e('granted_until', 'is', null), e('granted_until', '>', now)]))
  if (page.cursor !== undefined) {
    const [at, id] = decodeTimeCursor(page.cursor)
    query = query.where((e) => e(e.refTuple('requested_at', 'id'), '<', e.tuple(at, id)))
  }
  return (await query.execute()).map(grantOf)
}

function locationOf(row: LocationTable): Location {
  return {
    id: row.id,
    slug: row.slug,
    name: row.name,
    isDefault: row.is_default,
    restricted: row.restricted,
    createdAt: row.created_at,
  }
}

function grantOf(row: LocationGrantTable): LocationGrant {
  return {
    id: row.id,
    organizationId: row.organization_id,
    projectId: row.project_id,
    locationId: row.location_id,
    state: row.state,
    reason: row.reason,
    requestedBy: row.requested_by,
    requestedAt: row.requested_at,
    decidedBy: row.decided_by,
    decidedAt: row.decided_at,
    until: row.granted_until,
    comment: row.comment,
  }
}
