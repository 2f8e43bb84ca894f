import type * as views from '@slipway/contract'
import { contract } from '@slipway/contract'
import { pageOf } from '@slipway/kit'
import { eachObject } from '@slipway/kube'

import type { Account, Ctx, RequestContext } from '../../context.ts'
import { found } from '../../http/errors.ts'
import type { Routes } from '../../http/index.ts'
import type { Db } from '../../tables.ts'
import { decide, projectFilterOf } from '../access/index.ts'
import { placesFor } from '../app/index.ts'
import { findCluster, type ClusterConnection, type Clusters } from '../fleet/index.ts'
import { asked } from '../instance/index.ts'
import { findProjectSlugs } from '../tenancy/index.ts'
import { sightOf } from './manifests.ts'
import type { Pool } from './model.ts'
import { labelCounts, rentFilterOf } from './plan.ts'
import * as queries from './queries.ts'
import * as service from './service.ts'
import { poolView, previewView, rentView } from './views.ts'

export type PoolPorts = {
  readonly clusters: Clusters
  /** Names of the Workloads of a Cluster that name a Pool, or that run there. */
  readonly workloadsIn: (db: Db, clusterId: string, pool: string) => Promise<readonly string[]>
}

export function poolRoutes(routes: Routes, ports: PoolPorts): void {
  readingRoutes(routes, ports)
  changingRoutes(routes, ports)
  rentRoutes(routes, ports)
}

async function connect(
  { clusters }: PoolPorts,
  ctx: RequestContext,
  clusterId: string,
): Promise<ClusterConnection> {
  found(await ctx.read((db) => findCluster(db, clusterId)))
  return clusters.connect(clusterId)
}

type Asking = Pick<Ctx, 'db' | 'account' | 'now'>

/** Pools as the caller may see them: whose a rent is only where they may see that Project. */
async function shown({ db, account, now }: Asking): Promise<(pool: Pool) => views.Pool> {
  const rents = await queries.openRents(db, now)
  const mine = rents.filter((rent) => decide(account.access, 'project:read', rent) === 'allowed')
  const projects = await findProjectSlugs(
    db,
    mine.map(({ projectId }) => projectId),
  )
  return (pool) => poolView(pool, { rents, projects, now })
}

function readingRoutes(routes: Routes, ports: PoolPorts): void {
  routes.on(contract.listPools, async ({ query }, ctx) => {
    const rows = await queries.listPools(ctx.db, query)
    return pageOf(rows, query.limit, await shown(ctx), ({ slug, id }) => [slug, id])
  })
  routes.on(contract.getPool, async ({ params }, ctx) =>
    (await shown(ctx))(found(await queries.findPool(ctx.db, params.pool))),
  )
  routes.onOutside(contract.listNodeLabels, async ({ params }, ctx) => {
    const { kube } = await connect(ports, ctx, params.cluster)
    const sights = await asked(async () => {
      const nodes = []
      for await (const node of eachObject(kube, 'nodes', { signal: ctx.signal })) nodes.push(sightOf(node))
      return nodes
    })
    return { items: labelCounts(sights).map(({ label, values }) => ({ label, values: [...values] })) }
  })
}

function changingRoutes(routes: Routes, ports: PoolPorts): void {
  routes.onOutside(contract.createPool, async ({ params, body }, outer, commit) => {
    const { selector = null, nodes, ...rest } = body
    const connection = nodes.length > 0 ? await connect(ports, outer, params.cluster) : undefined
    if (connection) await service.refuseUnknownNodes(connection, nodes, outer.signal)
    return commit(async (ctx) => {
      found(await findCluster(ctx.db, params.cluster))
      const input = { ...rest, name: body.name ?? body.slug, clusterId: params.cluster, selector, nodes }
      return (await shown(ctx))(await service.createPool(ctx, input))
    })
  })
  routes.on(contract.updatePool, async ({ params, body }, ctx) =>
    (await shown(ctx))(await service.updatePool(ctx, params.pool, body)),
  )
  routes.on(contract.deletePool, async ({ params }, ctx) =>
    service.deletePool(ctx, params.pool, async (db, { clusterId, slug }) =>
      ports.workloadsIn(db, clusterId, slug),
    ),
  )
  routes.onOutside(contract.addPoolNode, async ({ params }, outer, commit) => {
    const { clusterId } = found(await outer.read((db) => queries.findPool(db, params.pool)))
    const connection = await connect(ports, outer, clusterId)
    await service.refuseUnknownNodes(connection, [params.node], outer.signal)
    return commit(async (ctx) => (await shown(ctx))(await service.addNode(ctx, params.pool, params.node)))
  })
  routes.on(contract.removePoolNode, async ({ params }, ctx) =>
    (await shown(ctx))(await service.removeNode(ctx, params.pool, params.node)),
  )
}

function rentRoutes(routes: Routes, ports: PoolPorts): void {
  const look = async (ctx: RequestContext, id: string): Promise<service.Sight> => {
    const pool = found(await ctx.read((db) => queries.findPool(db, id)))
    return service.lookAtPool(ctx, await connect(ports, ctx, pool.clusterId), pool)
  }
  routes.onOutside(contract.getRentPreview, async ({ params, query }, ctx) => {
    const sight = await look(ctx, params.pool)
    const places = await ctx.read((db) => placesSeen(db, ctx.account))
    return previewView(sight, query.project, places)
  })
  routes.onOutside(contract.rentPool, async ({ params, body }, outer, commit) => {
    const sight = await look(outer, params.pool)
    const { project, until, ...rest } = body
    const wish = { ...rest, projectId: project, until: new Date(until) }
    return commit(async (ctx) => {
      const pool = await service.rentPool(ctx, params.pool, wish, sight)
      return (await shown(ctx))(pool)
    })
  })
  routes.on(contract.endRent, async ({ params }, ctx) => {
    const pool = await service.endRent(ctx, params.pool)
    return (await shown(ctx))(pool)
  })
  routes.on(contract.listRents, async ({ query }, ctx) => {
    const { limit, cursor, state, ...filter } = query
    const visible = projectFilterOf(ctx.account.access, 'project:read')
    const wanted = { ...filter, ...rentFilterOf(state, ctx.now), visible }
    const rents = await queries.listRents(ctx.db, wanted, { limit, cursor, now: ctx.now })
    const projects = await findProjectSlugs(
      ctx.db,
      rents.map(({ projectId }) => projectId),
    )
    const pools = await queries.poolSlugs(
      ctx.db,
      rents.map(({ poolId }) => poolId),
    )
    return pageOf(
      rents,
      limit,
      (rent) => rentView(rent, { pools, projects, now: ctx.now }),
      ({ until, id }) => [until.toISOString(), id],
    )
  })
}

async function placesSeen(db: Db, account: Account) {
  const places = await placesFor({ db, account }, 'project:read', {})
  return new Map(places.map((place) => [place.id, place]))
}
