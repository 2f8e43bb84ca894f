import { limiterOf } from '@slipway/kit'

import type { Ctx, RequestContext } from '../../context.ts'
import { wake } from '../../control/index.ts'
import { found } from '../../http/errors.ts'
import type { Db } from '../../tables.ts'
import { isOf, podsOn, workloadsAt } from '../evacuation/index.ts'
import { BUILD_LABEL, findNode, WORKLOAD_LABEL, type ClusterConnection } from '../fleet/index.ts'
import { asked } from '../instance/index.ts'
import { findProject } from '../tenancy/index.ts'
import { poolErrors } from './errors.ts'
import type { Guest, Pool, Rent } from './model.ts'
import { choosePool } from './plan.ts'
import * as queries from './queries.ts'
import { POOL_RECONCILER } from './reconciler.ts'

const NODES_MAX = 500
const QUESTIONS_AT_ONCE = 8

/** @throws {AppError} `pool_node_unknown` when the Cluster has no node by one of these names */
export async function refuseUnknownNodes(
  { kube }: Pick<ClusterConnection, 'kube'>,
  names: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const limiter = limiterOf(QUESTIONS_AT_ONCE)
  await Promise.all(
    names.map((node) =>
      limiter.run(async () => {
        if (!(await asked(() => findNode(kube, node, { signal }))))
          throw poolErrors.pool_node_unknown({ node })
      }),
    ),
  )
}

/** A node is in one Pool at most. */
async function refuseTakenNodes(
  db: Db,
  { id, clusterId }: Pick<Pool, 'id' | 'clusterId'>,
  names: readonly string[],
): Promise<void> {
  for (const other of await queries.poolsOf(db, clusterId)) {
    if (other.id === id || other.deleting) continue
    const node = names.find(
      (name) => other.nodes.includes(name) || other.members.some((member) => member.name === name),
    )
    if (node !== undefined) throw poolErrors.pool_node_taken({ node, pool: other.slug })
  }
}

async function changeable(ctx: Ctx, id: string): Promise<Pool> {
  const pool = found(await queries.lockPool(ctx.db, id))
  if (pool.deleting) throw poolErrors.pool_deleting({ pool: pool.slug })
  return pool
}

async function changed(ctx: Ctx, pool: Pool, detail: Readonly<Record<string, unknown>>): Promise<Pool> {
  await queries.updatePool(ctx.db, pool)
  await wake(ctx.db, POOL_RECONCILER, pool.clusterId)
  ctx.note({ target: `pool:${pool.id}`, detail: { pool: pool.slug, ...detail } })
  return pool
}

export type NewPool = Pick<Pool, 'clusterId' | 'slug' | 'name' | 'exclusive' | 'selector' | 'nodes'>

/** @throws {AppError} `pool_slug_taken`, `pool_node_taken` */
export async function createPool(ctx: Ctx, input: NewPool): Promise<Pool> {
  const pool: Pool = {
    id: ctx.newId('pol'),
    ...input,
    nodes: [...new Set(input.nodes)],
    members: [],
    problem: null,
    deleting: false,
    createdAt: ctx.now,
  }
  await refuseTakenNodes(ctx.db, pool, pool.nodes)
  await queries.insertPool(ctx.db, pool)
  const { exclusive, selector, nodes } = pool
  return changed(ctx, pool, { cluster: pool.clusterId, exclusive, selector, nodes })
}

export async function updatePool(
  ctx: Ctx,
  id: string,
  change: {
    readonly name?: string | undefined
    readonly exclusive?: boolean | undefined
    readonly selector?: Pool['selector'] | undefined
  },
): Promise<Pool> {
  const before = await changeable(ctx, id)
  const { name = before.name, exclusive = before.exclusive, selector = before.selector } = change
  return changed(ctx, { ...before, name, exclusive, selector }, { name, exclusive, selector })
}

/** @throws {AppError} `pool_node_taken`, `pool_nodes_many` */
export async function addNode(ctx: Ctx, id: string, node: string): Promise<Pool> {
  const pool = await changeable(ctx, id)
  await refuseTakenNodes(ctx.db, pool, [node])
  const nodes = [...new Set([...pool.nodes, node])]
  if (nodes.length > NODES_MAX) throw poolErrors.pool_nodes_many({ max: NODES_MAX })
  return changed(ctx, { ...pool, nodes }, { node })
}

/** @throws {AppError} `pool_node_by_labels` when it is there by its labels, `not_found` when it is not there */
export async function removeNode(ctx: Ctx, id: string, node: string): Promise<Pool> {
  const pool = await changeable(ctx, id)
  if (!pool.nodes.includes(node)) {
    found(pool.members.find(({ name }) => name === node))
    throw poolErrors.pool_node_by_labels({ node, pool: pool.slug })
  }
  const without = pool.nodes.filter((name) => name !== node)
  const members = pool.members.filter(({ name }) => name !== node)
  return changed(ctx, { ...pool, nodes: without, members }, { node })
}

/**
 * Marks a Pool; its row goes when label and taint are off its nodes.
 * @param uses - names of Workloads that name it, or that run there
 * @throws {AppError} `pool_in_use`, `pool_rented`
 */
export async function deletePool(
  ctx: Ctx,
  id: string,
  uses: (db: Db, pool: Pool) => Promise<readonly string[]>,
): Promise<void> {
  const pool = await changeable(ctx, id)
  const rent = await rentNow(ctx, pool)
  if (rent) throw poolErrors.pool_rented({ pool: pool.slug, until: rent.until.toISOString() })
  const [first, ...others] = await uses(ctx.db, pool)
  if (first !== undefined)
    throw poolErrors.pool_in_use({ pool: pool.slug, workload: first, count: others.length + 1 })
  await changed(ctx, { ...pool, deleting: true, members: [], nodes: [] }, {})
}

async function rentNow(ctx: Pick<Ctx, 'db' | 'now'>, pool: Pool): Promise<Rent | undefined> {
  const open = await queries.openRents(ctx.db, ctx.now, pool.clusterId)
  return open.find(({ poolId }) => poolId === pool.id)
}

export type RentWish = {
  readonly projectId: string
  readonly until: Date
  readonly isDefault: boolean
  readonly comment: string
  readonly strangers: 'refuse' | 'stay'
}

/**
 * Rents a Pool, or changes until when the same Project has it.
 * @param sight - who is on its nodes now
 * @throws {AppError} `rent_in_past`, `pool_rented`, `pool_holds_strangers`, `pool_default_taken`
 */
export async function rentPool(ctx: Ctx, id: string, wish: RentWish, sight: Sight): Promise<Pool> {
  const pool = await changeable(ctx, id)
  const project = found(await findProject(ctx.db, wish.projectId))
  if (wish.until <= ctx.now) throw poolErrors.rent_in_past({ until: wish.until.toISOString() })
  // One whose moment has come stands in nobody's way.
  await queries.endDueRents(ctx.db, ctx.now)
  const before = await rentNow(ctx, pool)
  if (before && before.projectId !== project.id)
    throw poolErrors.pool_rented({ pool: pool.slug, until: before.until.toISOString() })
  const strangers = strangersIn(sight, project.id)
  if (wish.strangers === 'refuse' && strangers.instances > 0)
    throw poolErrors.pool_holds_strangers({ pool: pool.slug, ...strangers })
  const rent: Rent = {
    id: before?.id ?? ctx.newId('rnt'),
    poolId: pool.id,
    clusterId: pool.clusterId,
    organizationId: project.organizationId,
    projectId: project.id,
    isDefault: wish.isDefault,
    comment: wish.comment,
    rentedBy: ctx.account.id,
    from: before?.from ?? ctx.now,
    until: wish.until,
    endedAt: null,
  }
  await queries.putRent(ctx.db, rent)
  await wake(ctx.db, POOL_RECONCILER, pool.clusterId)
  ctx.note({
    target: `pool:${pool.id}`,
    organizationId: project.organizationId,
    projectId: project.id,
    detail: {
      pool: pool.slug,
      rent: rent.id,
      until: rent.until.toISOString(),
      before: before?.until.toISOString() ?? null,
      isDefault: rent.isDefault,
      comment: rent.comment,
      strangers: strangers.instances,
    },
  })
  return pool
}

/** @throws {AppError} `pool_not_rented` */
export async function endRent(ctx: Ctx, id: string): Promise<Pool> {
  const pool = await changeable(ctx, id)
  const rent = await rentNow(ctx, pool)
  if (!rent) throw poolErrors.pool_not_rented({ pool: pool.slug })
  await queries.putRent(ctx.db, { ...rent, endedAt: ctx.now })
  await wake(ctx.db, POOL_RECONCILER, pool.clusterId)
  const { organizationId, projectId } = rent
  const detail = { pool: pool.slug, rent: rent.id, until: rent.until.toISOString() }
  ctx.note({ target: `pool:${pool.id}`, organizationId, projectId, detail })
  return pool
}

/** Who is on the nodes of a Pool. */
export type Sight = {
  readonly nodes: readonly string[]
  readonly guests: readonly Guest[]
  readonly builds: number
  readonly others: number
}

/** What a rent touches: everything on the nodes that belong to the Pool now. @throws {AppError} when the Cluster does not answer */
export async function lookAtPool(
  ctx: Pick<RequestContext, 'read' | 'signal'>,
  { kube }: Pick<ClusterConnection, 'kube'>,
  pool: Pool,
): Promise<Sight> {
  const { signal } = ctx
  const nodes = [...new Set([...pool.nodes, ...pool.members.map(({ name }) => name)])].toSorted()
  const limiter = limiterOf(QUESTIONS_AT_ONCE)
  const found = await Promise.all(
    nodes.map((node) => limiter.run(async () => asked(() => podsOn(kube, node, { signal })))),
  )
  const pods = found.flat()
  const ids = pods.flatMap(({ metadata }) => metadata.labels?.[WORKLOAD_LABEL] ?? [])
  const workloads = await workloadsAt(ctx.read, pool.clusterId, ids)
  const guests = new Map<string, Guest>()
  const isGuest = pods.map((pod) => isOf(pod, workloads))
  for (const [index, pod] of pods.entries()) {
    const workload = workloads.get(pod.metadata.labels?.[WORKLOAD_LABEL] ?? '')
    if (!workload || isGuest[index] !== true) continue
    const before = guests.get(workload.id)
    const node = pod.spec?.nodeName ?? ''
    guests.set(workload.id, {
      workloadId: workload.id,
      projectId: workload.projectId,
      instances: (before?.instances ?? 0) + 1,
      nodes: [...new Set([...(before?.nodes ?? []), node])],
    })
  }
  const builds = pods.filter(({ metadata }) => metadata.labels?.[BUILD_LABEL] !== undefined).length
  const ours = isGuest.filter(Boolean).length
  return { nodes, guests: [...guests.values()], builds, others: pods.length - ours - builds }
}

export function strangersIn(
  { guests }: Pick<Sight, 'guests'>,
  projectId: string,
): { readonly workloads: number; readonly instances: number } {
  const strangers = guests.filter((guest) => guest.projectId !== projectId)
  return {
    workloads: strangers.length,
    instances: strangers.reduce((all, { instances }) => all + instances, 0),
  }
}

/** Whose Workload it is, and where. */
export type Asker = { readonly clusterId: string; readonly projectId: string }

/**
 * Short name of the Pool in which a Workload runs that wants this one, or says nothing; undefined for anywhere.
 * @throws {AppError} `pool_unknown`, `pool_rented_elsewhere`
 */
export async function settlePool(
  ctx: Pick<Ctx, 'db' | 'now'>,
  { clusterId, projectId }: Asker,
  wanted: string | undefined,
): Promise<string | undefined> {
  const pools = await queries.poolsOf(ctx.db, clusterId)
  const rents = await queries.openRents(ctx.db, ctx.now, clusterId)
  const choice = choosePool(wanted, projectId, { pools, rents })
  if (choice.kind === 'unknown') throw poolErrors.pool_unknown({ pool: choice.pool })
  if (choice.kind === 'elsewhere')
    throw poolErrors.pool_rented_elsewhere({ pool: choice.pool, until: choice.until.toISOString() })
  return choice.pool
}
