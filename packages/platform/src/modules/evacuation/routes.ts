import { contract } from '@slipway/contract'
import { pageOf } from '@slipway/kit'

import type { Account, RequestContext } from '../../context.ts'
import { found } from '../../http/errors.ts'
import type { Routes } from '../../http/index.ts'
import { decide } from '../access/index.ts'
import { findCluster, type ClusterConnection, type Clusters } from '../fleet/index.ts'
import * as service from './service.ts'
import { detailView, evacuationView, previewView } from './views.ts'

export function evacuationRoutes(routes: Routes, { clusters }: { readonly clusters: Clusters }): void {
  const connect = async (ctx: RequestContext, clusterId: string): Promise<ClusterConnection> => {
    found(await ctx.read((db) => findCluster(db, clusterId)))
    return clusters.connect(clusterId)
  }
  routes.onOutside(contract.updateNode, async ({ params, body }, outer, commit) => {
    const { kube } = await connect(outer, params.cluster)
    const { schedulable } = body
    const node = await service.changeNode(outer, kube, { node: params.node, schedulable })
    return commit(async (ctx) => {
      await service.noteChange(ctx, { clusterId: params.cluster, node: params.node, schedulable })
      return { name: node.name, schedulable: node.schedulable }
    })
  })
  routes.onOutside(contract.getDrainPreview, async ({ params }, ctx) => {
    const at = { clusterId: params.cluster, node: params.node }
    return previewView(await service.previewDrain(ctx, await connect(ctx, params.cluster), at))
  })
  routes.onOutside(contract.startDrain, async ({ params, body }, outer, commit) => {
    const { kube } = await connect(outer, params.cluster)
    // Whether it is there and may be changed; that it takes nothing more is brought about with the rest.
    await service.changeNode({ ...outer, dryRun: true }, kube, { node: params.node, schedulable: false })
    const about = { clusterId: params.cluster, node: params.node, timeoutSeconds: body.timeoutSeconds }
    return commit(async (ctx) =>
      evacuationView({ evacuation: await service.startDrain(ctx, about), moves: [] }),
    )
  })
  routes.on(contract.cancelDrain, async ({ params, body }, ctx) => {
    await service.cancelDrain(ctx, params.evacuation, body.schedulable)
    return evacuationView(await service.getEvacuation(ctx, params.evacuation, true))
  })
  routes.on(contract.listEvacuations, async ({ query }, ctx) => {
    const { limit, cursor, ...filter } = query
    const page = { limit, cursor, seesNodes: seesNodes(ctx.account) }
    return pageOf(
      await service.listEvacuations(ctx, filter, page),
      limit,
      evacuationView,
      ({ evacuation }) => [evacuation.startedAt.toISOString(), evacuation.id],
    )
  })
  routes.on(contract.getEvacuation, async ({ params }, ctx) =>
    detailView(await service.getEvacuation(ctx, params.evacuation, seesNodes(ctx.account))),
  )
}

/** Who may read nodes sees also what moved nothing of theirs. */
function seesNodes({ access }: Account): boolean {
  return decide(access, 'cluster:read', { organizationId: null, projectId: null }) === 'allowed'
}
