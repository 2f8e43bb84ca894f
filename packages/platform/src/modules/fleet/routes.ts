import type * as views from '@slipway/contract'
import { contract } from '@slipway/contract'
import { decodeCursor, encodeCursor, pageOf, parseQuantity } from '@slipway/kit'

import type { Routes } from '../../http/index.ts'
import { found } from '../../http/errors.ts'
import type { Connections } from './connections.ts'
import type { Cluster } from './model.ts'
import * as queries from './queries.ts'
import * as service from './service.ts'

export function fleetRoutes(routes: Routes, connections: Connections): void {
  const view = (cluster: Cluster): views.Cluster => clusterView(cluster, connections)
  routes.on(contract.listClusters, async ({ query }, ctx) =>
    pageOf(await queries.listClusters(ctx.db, query), query.limit, view, (cluster) => [cluster.slug]),
  )
  routes.on(contract.getCluster, async ({ params }, ctx) =>
    view(found(await queries.findCluster(ctx.db, params.cluster))),
  )
  routes.onOutside(contract.createCluster, async ({ body }, outer, commit) => {
    const { gateway, gatewayUrl, domain } = body
    const settings = { gateway, gatewayUrl, domain }
    const { server } = await service.tryKubeconfig(outer, {
      slug: body.slug,
      kubeconfig: body.kubeconfig,
      gateway: settings,
    })
    return commit(async (ctx) =>
      view(
        await service.createCluster(ctx, {
          slug: body.slug,
          name: body.name ?? body.slug,
          kubeconfig: body.kubeconfig,
          server,
          isDefault: body.isDefault,
          gateway: settings,
        }),
      ),
    )
  })
  routes.onOutside(contract.updateCluster, async ({ params, body }, outer, commit) => {
    const { gateway, gatewayUrl, domain, kubeconfig } = body
    const settings = { gateway, gatewayUrl, domain }
    const tried =
      kubeconfig === undefined
        ? undefined
        : await service.tryKubeconfig(outer, { slug: params.cluster, kubeconfig, gateway: settings })
    return commit(async (ctx) =>
      view(
        await service.updateCluster(ctx, params.cluster, {
          name: body.name,
          isDefault: body.isDefault,
          gateway: settings,
          kubeconfig:
            kubeconfig === undefined || tried === undefined
              ? undefined
              : { text: kubeconfig, server: tried.server },
        }),
      ),
    )
  })
  routes.on(contract.deleteCluster, async ({ params }, ctx) => service.deleteCluster(ctx, params.cluster))
  routes.onOutside(contract.listNodes, async ({ params, query }, ctx) => {
    found(await ctx.read((db) => queries.findCluster(db, params.cluster)))
    const connection = await connections.connect(params.cluster)
    const continueToken = query.cursor === undefined ? undefined : decodeCursor(query.cursor, 1)[0]
    const { nodes, next } = await service.listNodes(
      connection,
      { limit: query.limit, continueToken },
      ctx.signal,
    )
    const items = nodes.map(nodeView)
    return next === undefined ? { items } : { items, cursor: encodeCursor([next]) }
  })
}

function clusterView(cluster: Cluster, connections: Connections): views.Cluster {
  const { health, facts } = connections.statusOf(cluster.id)
  return {
    id: cluster.id,
    slug: cluster.slug,
    name: cluster.name,
    isDefault: cluster.isDefault,
    server: cluster.server,
    health: { state: health.state, since: health.since.toISOString(), message: health.message },
    version: facts?.version ?? null,
    processRuntime: facts?.processRuntime ?? false,
    gatewayUrl: facts?.gateway?.url ?? null,
    createdAt: cluster.createdAt.toISOString(),
  }
}

function nodeView({ cpu, memory, ...node }: service.NodeInfo & { readonly instances: number }): views.Node {
  return {
    ...node,
    addresses: [...node.addresses],
    labels: { ...node.labels },
    cpuCores: parseQuantity(cpu),
    memoryBytes: parseQuantity(memory),
  }
}
