import { isForeignKeyViolation } from '@slipway/db'
import { must } from '@slipway/kit'

import type { Ctx } from '../../context.ts'
import { found } from '../../http/errors.ts'
import type { Db } from '../../tables.ts'
import { allClusters, resolveCluster } from '../fleet/index.ts'
import { locationErrors } from './errors.ts'
import type { ClusterPlace, Location, LocationGrant } from './model.ts'
import { chooseCluster, standingOf, type Wish } from './plan.ts'
import * as queries from './queries.ts'

/** Every Cluster with its Location; who names none is in the default one. */
export async function clusterPlaces(db: Db): Promise<readonly ClusterPlace[]> {
  const clusters = await allClusters(db)
  const named = await queries.namedLocations(db)
  const locations = await queries.allLocations(db)
  const standard = must(
    locations.find(({ isDefault }) => isDefault),
    'there is a default Location',
  )
  return clusters.map(({ id, slug, isDefault }) => ({
    id,
    slug,
    isDefault,
    locationId: named.get(id) ?? standard.id,
  }))
}

/**
 * Id of the Cluster that an Environment of a Project goes to.
 * @throws {AppError} `cluster_unknown`, `location_unknown`, `location_empty`, `location_elsewhere`, `location_not_granted`,
 * `location_grant_ended`
 */
export async function placeEnvironment(
  { db, now }: Pick<Ctx, 'db' | 'now'>,
  projectId: string,
  wish: Wish,
): Promise<string> {
  const choice = chooseCluster(wish, await clusterPlaces(db), await queries.allLocations(db))
  if (choice.kind === 'refused') {
    // It knows how to say so.
    if (choice.why === 'cluster_unknown') return resolveCluster(db, wish.cluster)
    const names = { location: wish.location ?? '', cluster: wish.cluster ?? '' }
    if (choice.why === 'elsewhere') throw locationErrors.location_elsewhere(names)
    throw locationErrors[choice.why]({ location: names.location })
  }
  const { cluster, location } = choice
  if (location.restricted) {
    const grant = await queries.findGrantOf(db, projectId, location.id)
    const standing = grant && standingOf(grant, now)
    const { slug } = location
    if (standing === 'Ended')
      throw locationErrors.location_grant_ended({ location: slug, until: grant?.until?.toISOString() ?? '' })
    if (standing !== 'Granted') throw locationErrors.location_not_granted({ location: slug })
  }
  return cluster.id
}

export async function createLocation(
  ctx: Ctx,
  input: Pick<Location, 'slug' | 'name' | 'restricted' | 'isDefault'>,
): Promise<Location> {
  const location: Location = { id: ctx.newId('loc'), createdAt: ctx.now, ...input }
  await queries.putLocation(ctx.db, location)
  const { slug, restricted, isDefault } = location
  ctx.note({ target: `location:${location.id}`, detail: { slug, restricted, isDefault } })
  return location
}

export async function updateLocation(
  ctx: Ctx,
  id: string,
  change: {
    readonly name?: string | undefined
    readonly restricted?: boolean | undefined
    readonly isDefault?: true | undefined
  },
): Promise<Location> {
  const before = found(await queries.findLocation(ctx.db, id))
  const { name = before.name, restricted = before.restricted, isDefault = before.isDefault } = change
  const after: Location = { ...before, name, restricted, isDefault }
  await queries.putLocation(ctx.db, after)
  ctx.note({ target: `location:${id}`, detail: { slug: before.slug, name, restricted, isDefault } })
  return after
}

/** @throws {AppError} `location_default`, `location_in_use` */
export async function deleteLocation(ctx: Ctx, id: string): Promise<void> {
  const { slug, isDefault } = found(await queries.findLocation(ctx.db, id))
  if (isDefault) throw locationErrors.location_default()
  try {
    await queries.deleteLocation(ctx.db, id)
  } catch (thrown) {
    if (isForeignKeyViolation(thrown)) throw locationErrors.location_in_use(undefined, { cause: thrown })
    throw thrown
  }
  ctx.note({ target: `location:${id}`, detail: { slug } })
}

export async function setClusterLocation(ctx: Ctx, clusterId: string, locationId: string): Promise<Location> {
  const location = await queries.findLocation(ctx.db, locationId)
  if (!location) throw locationErrors.location_unknown({ location: locationId })
  await queries.nameLocation(ctx.db, clusterId, locationId)
  ctx.note({ target: `cluster:${clusterId}`, detail: { location: location.slug } })
  return location
}

/** @throws {AppError} `location_unknown`, `location_not_restricted`, `location_asked_already` */
export async function requestLocation(
  ctx: Ctx,
  about: {
    readonly organizationId: string
    readonly projectId: string
    readonly locationId: string
    readonly reason: string
  },
): Promise<LocationGrant> {
  const { reason, ...of } = about
  const location = await queries.findLocation(ctx.db, about.locationId)
  if (!location) throw locationErrors.location_unknown({ location: about.locationId })
  const { slug } = location
  if (!location.restricted) throw locationErrors.location_not_restricted({ location: slug })
  const before = await queries.findGrantOf(ctx.db, about.projectId, about.locationId)
  const standing = before && standingOf(before, ctx.now)
  if (standing === 'Requested' || standing === 'Granted')
    throw locationErrors.location_asked_already({ location: slug, state: standing })
  const grant: LocationGrant = {
    id: before?.id ?? ctx.newId('lgr'),
    ...of,
    state: 'Requested',
    reason,
    requestedBy: ctx.account.id,
    requestedAt: ctx.now,
    decidedBy: null,
    decidedAt: null,
    until: null,
    comment: '',
  }
  await queries.putGrant(ctx.db, grant)
  ctx.note({ target: `location:${location.id}`, detail: { grant: grant.id, location: slug, reason } })
  return grant
}

/** @throws {AppError} `location_until_past` */
export async function decideGrant(
  ctx: Ctx,
  id: string,
  decision: { readonly granted: boolean; readonly until: Date | null; readonly comment: string },
): Promise<LocationGrant> {
  const before = found(await queries.findGrant(ctx.db, id))
  const until = decision.granted ? decision.until : null
  if (until !== null && until.getTime() <= ctx.now.getTime()) throw locationErrors.location_until_past()
  const after: LocationGrant = {
    ...before,
    state: decision.granted ? 'Granted' : 'Refused',
    comment: decision.comment,
    decidedBy: ctx.account.id,
    decidedAt: ctx.now,
    until,
  }
  await queries.putGrant(ctx.db, after)
  ctx.note({
    target: `location:${before.locationId}`,
    organizationId: before.organizationId,
    projectId: before.projectId,
    detail: {
      grant: id,
      before: before.state,
      after: after.state,
      ...(until === null ? {} : { until: until.toISOString() }),
      comment: decision.comment,
    },
  })
  return after
}
