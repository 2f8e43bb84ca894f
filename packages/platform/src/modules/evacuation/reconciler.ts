/*
 * Brings about what `plan.ts` decides, for drains and losses alike. The pods themselves are the journal: whoever takes over in
 * the middle sees which have left, and asks only for those that may. An Instance is named by its uid when it is asked to
 * leave, so that a question asked twice does nothing twice.
 */
import { AppError, MINUTE_MS, SECOND_MS } from '@slipway/kit'
import { hasReason, KubeError } from '@slipway/kube'

import type { ControlContext, Reconciler } from '../../control/index.ts'
import type { ClusterConnection, Clusters } from '../fleet/index.ts'
import { evacuationErrors } from './errors.ts'
import type { Evacuation, Move, Seat, Why } from './model.ts'
import { setSchedulable } from './nodes.ts'
import { observeScene } from './observe.ts'
import { planEvacuation } from './plan.ts'
import * as queries from './queries.ts'

export const EVACUATION_RECONCILER = 'evacuation'
/** How often a drain is looked at, in ms. */
const DRAIN_MS = 1 * SECOND_MS
/** The same for a loss, where nothing is to be done, and for a Cluster that does not answer. */
const SLOW_MS = 5 * SECOND_MS

export function evacuationReconciler({ clusters }: { readonly clusters: Clusters }): Reconciler {
  return {
    name: EVACUATION_RECONCILER,
    keys: queries.openIds,
    resyncMs: 30 * SECOND_MS,
    concurrency: 4,
    deadlineMs: 2 * MINUTE_MS,
    async reconcile(context, id) {
      const read = await context.transact(async (db) => {
        const evacuation = await queries.findEvacuation(db, id)
        return evacuation && { evacuation, moves: await queries.listMoves(db, [id]) }
      })
      if (!read || (read.evacuation.state !== 'Running' && !read.evacuation.uncordon)) return {}
      const { evacuation, moves } = read
      try {
        const connection = await clusters.connect(evacuation.clusterId)
        if (evacuation.state !== 'Running') return await release(context, connection, evacuation)
        return await pass(context, connection, evacuation, moves)
      } catch (thrown) {
        const problem = problemOf(thrown, evacuation.node)
        if (!problem) throw thrown
        await context.transact((db) => queries.updateEvacuation(db, { ...evacuation, problem }))
        return { againInMs: SLOW_MS }
      }
    },
  }
}

/** What people must know because nothing goes on without them, or until the Cluster is back. */
function problemOf(thrown: unknown, node: string): Why | undefined {
  if (thrown instanceof AppError) return { code: thrown.code, params: { ...thrown.params } }
  if (thrown instanceof KubeError && thrown.code === 403) {
    const { code, params } = evacuationErrors.node_rights_missing({ node })
    return { code, params: { ...params } }
  }
  return undefined
}

async function pass(
  context: ControlContext,
  connection: ClusterConnection,
  evacuation: Evacuation,
  known: readonly Move[],
): Promise<{ readonly againInMs?: number }> {
  const { clusterId, node, kind } = evacuation
  const { signal } = context
  const about = { clusterId, node, known: known.map(({ workloadId }) => workloadId) }
  const scene = await observeScene(connection, about, { read: context.transact, signal })
  if (kind === 'drain' && scene.sight?.schedulable === true)
    await setSchedulable(connection.kube, { node, schedulable: false }, { signal })
  const now = context.clock.now()
  const plan = planEvacuation(evacuation, known, scene, now)
  const after: Evacuation = {
    ...evacuation,
    problem: null,
    nodeBackAt: plan.nodeBackAt,
    state: plan.end ?? 'Running',
    endedAt: plan.end === undefined ? null : now,
  }
  // Before anybody is asked to leave: who lost the race to a cancellation asks nobody.
  const isOurs = await context.transact(async (db) => {
    if (!(await queries.updateEvacuation(db, after))) return false
    await queries.putMoves(
      db,
      plan.moves.filter((move) => !known.includes(move)),
    )
    return true
  })
  if (!isOurs) return { againInMs: 1 }
  if (plan.end !== undefined) {
    context.log.info({ cluster: clusterId, node, kind, state: plan.end }, 'an evacuation ended')
    return {}
  }
  for (const seat of plan.evict) await askToLeave(context, connection, plan.moves, seat)
  return { againInMs: kind === 'drain' ? DRAIN_MS : SLOW_MS }
}

/** Lets the node of a cancelled drain take Instances again. */
async function release(
  context: ControlContext,
  { kube }: ClusterConnection,
  evacuation: Evacuation,
): Promise<{ readonly againInMs?: number }> {
  const { node } = evacuation
  try {
    await setSchedulable(kube, { node, schedulable: true }, { signal: context.signal })
  } catch (thrown) {
    // A node that is gone needs nothing more.
    if (!hasReason(thrown, 'NotFound')) throw thrown
  }
  const after = { ...evacuation, problem: null, uncordon: false }
  return (await context.transact((db) => queries.updateEvacuation(db, after))) ? {} : { againInMs: 1 }
}

async function askToLeave(
  context: ControlContext,
  { kube }: ClusterConnection,
  moves: readonly Move[],
  seat: Seat,
): Promise<void> {
  const move = moves.find(({ podUid }) => podUid === seat.uid)
  if (!move) return
  const { name, namespace, uid } = seat
  const change = async (part: Pick<Move, 'state' | 'why'>): Promise<void> => {
    const next = {
      ...move,
      ...part,
      changedAt: part.state === move.state ? move.changedAt : context.clock.now(),
    }
    await context.transact((db) => queries.putMoves(db, [next]))
  }
  try {
    await kube.evict({ name, namespace }, { preconditions: { uid }, signal: context.signal })
    await change({ state: 'Leaving', why: null })
  } catch (thrown) {
    if (!(thrown instanceof KubeError)) throw thrown
    // Gone, or another one by that name: the next look tells.
    if (thrown.code === 404 || thrown.code === 409) return
    if (thrown.code !== 429) throw thrown
    const why = { code: 'evacuation_budget', params: { problem: thrown.message.slice(0, 300) } }
    await change({ state: 'Waiting', why })
  }
}
