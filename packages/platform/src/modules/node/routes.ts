import { contract } from '@slipway/contract'

import { found } from '../../http/errors.ts'
import type { Routes } from '../../http/index.ts'
import { findCluster } from '../fleet/index.ts'
import { findPod, partsOfInstance, placeOf } from '../instance/index.ts'
import { lookAt, type NodePorts } from './service.ts'
import { loadView, nodeView, tenantView } from './views.ts'

export function nodeRoutes(routes: Routes, ports: NodePorts): void {
  routes.onOutside(contract.getNode, async ({ params }, ctx) => {
    found(await ctx.read((db) => findCluster(db, params.cluster)))
    const at = { clusterId: params.cluster, node: params.node }
    return nodeView(params.cluster, found(await lookAt(ctx, ports, at)))
  })
  routes.onOutside(contract.getNeighbours, async ({ params }, ctx) => {
    const place = await placeOf(ctx, ports.clusters, partsOfInstance(params.instance).workloadId)
    const pod = found(await findPod(place, params.instance, ctx.signal))
    const { clusterId } = place.workload
    const node = pod.spec?.nodeName ?? ''
    const look = node === '' ? undefined : await lookAt(ctx, ports, { clusterId, node })
    return { clusterId, node: look ? loadView(look) : null, tenants: (look?.tenants ?? []).map(tenantView) }
  })
}
