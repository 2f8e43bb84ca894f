/*
 * Notices that a node no longer reports while Instances are on it, and writes down which, so that it can be told afterwards what
 * moved where. Nothing is done about it: the Cluster itself ends what is on a lost node, and its controllers begin new ones.
 */
import { DAY_MS, MINUTE_MS, SECOND_MS } from '@slipway/kit'
import { eachObject } from '@slipway/kube'

import { wake, type ControlContext, type Reconciler } from '../../control/index.ts'
import { allClusters, WORKLOAD_LABEL, type Clusters } from '../fleet/index.ts'
import { nodeSightOf, type NodeSight } from './manifests.ts'
import type { Evacuation } from './model.ts'
import { isOf, podsOn, workloadsAt } from './observe.ts'
import * as queries from './queries.ts'
import { EVACUATION_RECONCILER } from './reconciler.ts'

export const LOSS_RECONCILER = 'node-loss'
/** How often all nodes are looked through, in ms; a node that changes is looked at at once. */
const RESYNC_MS = 30 * SECOND_MS
const KEEP_MS = 30 * DAY_MS

export function lossReconciler({ clusters }: { readonly clusters: Clusters }): Reconciler {
  return {
    name: LOSS_RECONCILER,
    keys: async (db) => (await allClusters(db)).map(({ id }) => id),
    resyncMs: RESYNC_MS,
    concurrency: 4,
    deadlineMs: MINUTE_MS,
    async reconcile(context, clusterId) {
      const connection = await clusters.connect(clusterId).catch(() => undefined)
      // What does not answer says nothing about its nodes.
      if (!connection) return {}
      const lost: NodeSight[] = []
      for await (const node of eachObject(connection.kube, 'nodes', { signal: context.signal })) {
        const sight = nodeSightOf(node)
        if (!sight.ready) lost.push(sight)
      }
      if (lost.length === 0) return {}
      const known = await context.transact((db) => queries.lostNodes(db, clusterId))
      for (const sight of lost)
        if (!known.has(sight.name)) await noteLoss(context, { clusterId, kube: connection.kube }, sight)
      return {}
    },
  }
}

/** Forgets what ended long ago. */
export const evacuationUpkeep: Reconciler = {
  name: 'evacuation-upkeep',
  keys: async () => ['all'],
  resyncMs: 5 * MINUTE_MS,
  concurrency: 1,
  deadlineMs: MINUTE_MS,
  async reconcile(context) {
    const before = new Date(context.clock.now().getTime() - KEEP_MS)
    await context.transact((db) => queries.forgetEvacuations(db, before))
    return {}
  },
}

async function noteLoss(
  context: ControlContext,
  { clusterId, kube }: { readonly clusterId: string; readonly kube: Parameters<typeof podsOn>[0] },
  sight: NodeSight,
): Promise<void> {
  const options = { labelSelector: WORKLOAD_LABEL, signal: context.signal }
  const pods = await podsOn(kube, sight.name, options)
  const ids = pods.map(({ metadata }) => metadata.labels?.[WORKLOAD_LABEL] ?? '')
  const workloads = await workloadsAt(context.transact, clusterId, ids)
  if (!pods.some((pod) => isOf(pod, workloads))) return
  const now = context.clock.now()
  const evacuation: Evacuation = {
    id: context.newId('eva'),
    clusterId,
    node: sight.name,
    kind: 'loss',
    state: 'Running',
    problem: null,
    startedBy: null,
    // What began elsewhere since then took somebody's place, also while we were away.
    startedAt: sight.since ?? now,
    deadlineAt: null,
    nodeBackAt: null,
    endedAt: null,
    uncordon: false,
    generation: 1,
  }
  await context.transact(async (db) => {
    await queries.insertEvacuation(db, evacuation)
    await wake(db, EVACUATION_RECONCILER, evacuation.id)
  })
  context.log.warn({ cluster: clusterId, node: sight.name, instances: pods.length }, 'a node was lost')
}
