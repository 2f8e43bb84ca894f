import type * as views from '@slipway/contract'
import { contract } from '@slipway/contract'
import { pageOf } from '@slipway/kit'

import type { Ctx } from '../../context.ts'
import { found } from '../../http/errors.ts'
import type { Routes } from '../../http/index.ts'
import type { Db } from '../../tables.ts'
import { projectFilterOf } from '../access/index.ts'
import { findCluster } from '../fleet/index.ts'
import type { ClusterPlace, Location, LocationGrant } from './model.ts'
import { standingOf } from './plan.ts'
import * as queries from './queries.ts'
import * as service from './service.ts'

export type LocationPorts = {
  readonly findProject: (db: Db, id: string) => Promise<{ readonly organizationId: string } | undefined>
  readonly findProjectSlugs: (db: Db, ids: readonly string[]) => Promise<ReadonlyMap<string, string>>
  readonly userNames: (db: Db, userIds: readonly string[]) => Promise<ReadonlyMap<string, string>>
}

export function locationRoutes(routes: Routes, ports: LocationPorts): void {
  const viewed = async (db: Db, location: Location): Promise<views.Location> =>
    locationView(location, await service.clusterPlaces(db))
  routes.on(contract.listLocations, async ({ query }, ctx) => {
    const places = await service.clusterPlaces(ctx.db)
    const rows = await queries.listLocations(ctx.db, query)
    return pageOf(
      rows,
      query.limit,
      (location) => locationView(location, places),
      ({ slug }) => [slug],
    )
  })
  routes.on(contract.createLocation, async ({ body }, ctx) =>
    viewed(ctx.db, await service.createLocation(ctx, { ...body, name: body.name ?? body.slug })),
  )
  routes.on(contract.updateLocation, async ({ params, body }, ctx) =>
    viewed(ctx.db, await service.updateLocation(ctx, params.location, body)),
  )
  routes.on(contract.deleteLocation, async ({ params }, ctx) => service.deleteLocation(ctx, params.location))
  routes.on(contract.setClusterLocation, async ({ params, body }, ctx) => {
    found(await findCluster(ctx.db, params.cluster))
    return viewed(ctx.db, await service.setClusterLocation(ctx, params.cluster, body.location))
  })
  grantRoutes(routes, ports)
}

function grantRoutes(routes: Routes, { findProject, findProjectSlugs, userNames }: LocationPorts): void {
  const viewed = async ({ db, now }: Pick<Ctx, 'db' | 'now'>, grants: readonly LocationGrant[]) => {
    const locations = new Map((await queries.allLocations(db)).map(({ id, slug }) => [id, slug]))
    const users = await userNames(
      db,
      grants.flatMap(({ requestedBy, decidedBy }) =>
        decidedBy === null ? [requestedBy] : [requestedBy, decidedBy],
      ),
    )
    const projects = await findProjectSlugs(
      db,
      grants.map(({ projectId }) => projectId),
    )
    return (grant: LocationGrant): views.LocationGrant => ({
      id: grant.id,
      location: { id: grant.locationId, slug: locations.get(grant.locationId) ?? '' },
      project: { id: grant.projectId, slug: projects.get(grant.projectId) ?? '' },
      state: standingOf(grant, now),
      reason: grant.reason,
      requestedBy: grant.requestedBy,
      requestedByName: users.get(grant.requestedBy) ?? '',
      requestedAt: grant.requestedAt.toISOString(),
      decidedBy: grant.decidedBy,
      decidedByName: grant.decidedBy === null ? null : (users.get(grant.decidedBy) ?? ''),
      decidedAt: grant.decidedAt?.toISOString() ?? null,
      until: grant.until?.toISOString() ?? null,
      comment: grant.comment,
    })
  }
  routes.on(contract.requestLocation, async ({ params, body }, ctx) => {
    const { organizationId } = found(await findProject(ctx.db, params.project))
    const about = {
      organizationId,
      projectId: params.project,
      locationId: body.location,
      reason: body.reason,
    }
    const grant = await service.requestLocation(ctx, about)
    return (await viewed(ctx, [grant]))(grant)
  })
  routes.on(contract.listLocationGrants, async ({ query }, ctx) => {
    const { limit, cursor, ...filter } = query
    const visible = projectFilterOf(ctx.account.access, 'project:read')
    const rows = await queries.listGrants(ctx.db, { ...filter, visible, now: ctx.now }, { limit, cursor })
    const view = await viewed(ctx, rows)
    return pageOf(rows, limit, view, ({ requestedAt, id }) => [requestedAt.toISOString(), id])
  })
  routes.on(contract.decideLocationGrant, async ({ params, body }, ctx) => {
    const grant = await service.decideGrant(ctx, params.grant, {
      ...body,
      until: body.until === undefined ? null : new Date(body.until),
    })
    return (await viewed(ctx, [grant]))(grant)
  })
}

function locationView(location: Location, places: readonly ClusterPlace[]): views.Location {
  const { createdAt, ...shown } = location
  const clusters = places
    .filter(({ locationId }) => locationId === location.id)
    .map(({ id, slug }) => ({ id, slug }))
  return { ...shown, clusters, createdAt: createdAt.toISOString() }
}
