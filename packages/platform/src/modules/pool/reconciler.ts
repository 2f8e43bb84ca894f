/*
 * Brings label and taint onto the nodes of a Cluster as its Pools want them. Nothing is remembered between two passes: rents end by
 * the clock, nodes tell what is on them, and a write names the version of the node that it was decided on.
 */
import { AppError, canonicalJson, limiterOf, MINUTE_MS, SECOND_MS } from '@slipway/kit'
import { eachObject, hasReason, KubeError, type Kube } from '@slipway/kube'

import type { ControlContext, Reconciler } from '../../control/index.ts'
import { allClusters, type Clusters } from '../fleet/index.ts'
import { poolErrors } from './errors.ts'
import { patchOf, sightOf } from './manifests.ts'
import type { NodeChange, NodeSight, Pool, Why } from './model.ts'
import { planPools, problemOf, type PoolPlan } from './plan.ts'
import * as queries from './queries.ts'

export const POOL_RECONCILER = 'pool'
const RESYNC_MS = MINUTE_MS
/** When nodes changed while they were written, or what was written is to be seen. */
const AGAIN_MS = 1 * SECOND_MS
const WRITES_AT_ONCE = 8
const NODES_MAX = 10_000

export function poolReconciler({ clusters }: { readonly clusters: Clusters }): Reconciler {
  return {
    name: POOL_RECONCILER,
    keys: async (db) => (await allClusters(db)).map(({ id }) => id),
    resyncMs: RESYNC_MS,
    concurrency: 4,
    deadlineMs: 2 * MINUTE_MS,
    async reconcile(context, clusterId) {
      const now = context.clock.now()
      const { pools, rents } = await context.transact(async (db) => {
        await queries.endDueRents(db, now)
        return {
          pools: await queries.poolsOf(db, clusterId),
          rents: await queries.openRents(db, now, clusterId),
        }
      })
      const rented = new Set(rents.map(({ poolId }) => poolId))
      const wishes = pools.map((pool) => ({ ...pool, closed: pool.exclusive || rented.has(pool.id) }))
      const ends = rents.map(({ until }) => until.getTime() - now.getTime() + 1)
      const nextMs = Math.min(...ends, RESYNC_MS)
      try {
        const { kube } = await clusters.connect(clusterId)
        const plan = planPools(wishes, await nodesOf(kube, context.signal))
        await noteMembers(context, pools, plan)
        const written = await write(kube, plan.changes, context.signal)
        if (written < plan.changes.length) return { againInMs: Math.min(AGAIN_MS, nextMs) }
        await forgetDeleted(context, pools)
        // Once more, so that what was written is seen to be there.
        return { againInMs: plan.changes.length > 0 ? Math.min(AGAIN_MS, nextMs) : nextMs }
      } catch (thrown) {
        const problem = hindranceOf(thrown)
        if (!problem) throw thrown
        await noteProblem(context, pools, problem)
        return { againInMs: nextMs }
      }
    },
  }
}

async function nodesOf(kube: Kube, signal: AbortSignal): Promise<readonly NodeSight[]> {
  const nodes: NodeSight[] = []
  for await (const node of eachObject(kube, 'nodes', { signal })) {
    nodes.push(sightOf(node))
    if (nodes.length >= NODES_MAX) break
  }
  return nodes
}

/** @returns how many were written; the others changed or went meanwhile */
async function write(kube: Kube, changes: readonly NodeChange[], signal: AbortSignal): Promise<number> {
  const limiter = limiterOf(WRITES_AT_ONCE)
  const written = await Promise.all(
    changes.map((change) =>
      limiter.run(async () => {
        try {
          await kube.patch('nodes', { name: change.name }, patchOf(change), {
            manager: 'slipway-pool',
            signal,
          })
          return 1
        } catch (thrown) {
          if (hasReason(thrown, 'Conflict') || hasReason(thrown, 'NotFound')) return 0
          throw thrown
        }
      }),
    ),
  )
  return written.reduce<number>((all, one) => all + one, 0)
}

/** What people must know because nothing goes on without them, or until the Cluster is back. */
function hindranceOf(thrown: unknown): Why | undefined {
  if (thrown instanceof AppError) return { code: thrown.code, params: { ...thrown.params } }
  if (thrown instanceof KubeError && thrown.code === 403) {
    const { code, params } = poolErrors.pool_rights_missing()
    return { code, params: { ...params } }
  }
  return undefined
}

async function noteMembers(context: ControlContext, pools: readonly Pool[], plan: PoolPlan): Promise<void> {
  for (const pool of pools) {
    const members = plan.members.get(pool.id) ?? []
    const adopted = plan.adopted.get(pool.id) ?? []
    const problem = problemOf(plan, pool.id)
    await change(context, pool, (now) => ({
      ...now,
      members,
      problem,
      nodes: [...now.nodes, ...adopted.filter((name) => !now.nodes.includes(name))],
    }))
  }
}

async function noteProblem(context: ControlContext, pools: readonly Pool[], problem: Why): Promise<void> {
  for (const pool of pools) await change(context, pool, (now) => ({ ...now, problem }))
}

/** Writes only what is another: people look at it, and every write is told to them. */
async function change(context: ControlContext, seen: Pool, next: (pool: Pool) => Pool): Promise<void> {
  if (isSame(seen, next(seen))) return
  await context.transact(async (db) => {
    const pool = await queries.lockPool(db, seen.id)
    if (pool) await queries.updatePool(db, next(pool))
  })
}

function isSame(a: Pool, b: Pool): boolean {
  const text = ({ members, problem, nodes }: Pool): string => canonicalJson([members, problem, nodes])
  return text(a) === text(b)
}

/** Their nodes are as if they had never been. */
async function forgetDeleted(context: ControlContext, pools: readonly Pool[]): Promise<void> {
  for (const { id, deleting } of pools)
    if (deleting) await context.transact((db) => queries.deletePool(db, id))
}
