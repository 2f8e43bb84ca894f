import type * as views from '@slipway/contract'
import { contract } from '@slipway/contract'
import { AppError, decodeCursor, encodeCursor, pageOf, parseQuantity } from '@slipway/kit'
import type { Kube } from '@slipway/kube'

import type { Platform, RequestContext } from '../../context.ts'
import type { Routes } from '../../http/index.ts'
import { found } from '../../http/errors.ts'
import { agentRoutes } from './agent-routes.ts'
import type { Agents } from './agents.ts'
import type { ClusterStatus, Connections } from './connections.ts'
import { fleetErrors } from './errors.ts'
import { manifestYaml } from './manifests.ts'
import type { Cluster } from './model.ts'
import { warningsOf } from './plan.ts'
import * as queries from './queries.ts'
import { markOf, register, type Registering } from './registration.ts'
import { renewToken } from './rotation.ts'
import * as service from './service.ts'
import { withdraw } from './withdrawal.ts'

export function fleetRoutes(routes: Routes, connections: Connections, agents: Agents): void {
  const viewed = (platform: Platform, cluster: Cluster): views.Cluster =>
    clusterView(cluster, connections.statusOf(cluster.id), platform)
  routes.on(contract.listClusters, async ({ query }, ctx) =>
    pageOf(
      await queries.listClusters(ctx.db, query),
      query.limit,
      (cluster) => viewed(ctx, cluster),
      (cluster) => [cluster.slug],
    ),
  )
  routes.on(contract.getCluster, async ({ params }, ctx) =>
    viewed(ctx, found(await queries.findCluster(ctx.db, params.cluster))),
  )
  routes.onOutside(contract.createCluster, async ({ body }, outer, commit) => {
    const { slug, kubeconfig, gateway, gatewayUrl, domain } = body
    const settings = { gateway, gatewayUrl, domain }
    const id = outer.newId('clu')
    // Before anything is put on the Cluster; the database has the last word.
    if (await outer.read((db) => queries.findClusterBySlug(db, slug))) throw fleetErrors.slug_taken({ slug })
    const registration = await register(outer, {
      clusterId: id,
      slug,
      kubeconfig,
      gateway: settings,
      before: undefined,
      slugOf: slugsIn(outer),
    })
    const { isDefault } = body
    const cluster = { id, slug, name: body.name ?? slug, registration, isDefault, gateway: settings }
    return commit(async (ctx) => viewed(ctx, await service.createCluster(ctx, cluster)))
  })
  routes.onOutside(contract.updateCluster, async ({ params, body }, outer, commit) => {
    const { name, isDefault, gateway, gatewayUrl, domain, kubeconfig } = body
    const settings = { gateway, gatewayUrl, domain }
    const before = found(await outer.read((db) => queries.findCluster(db, params.cluster)))
    const registration =
      kubeconfig === undefined
        ? undefined
        : await register(outer, {
            clusterId: before.id,
            slug: before.slug,
            kubeconfig,
            gateway: settings,
            before: before.credential,
            slugOf: slugsIn(outer),
          })
    const change = { name, isDefault, gateway: settings, registration }
    return commit(async (ctx) => viewed(ctx, await service.updateCluster(ctx, before.id, change)))
  })
  credentialRoutes(routes, connections, viewed)
  agentRoutes(routes, agents, viewed)
  routes.onOutside(contract.deleteCluster, async ({ params }, outer, commit) => {
    const cluster = found(await outer.read((db) => queries.findCluster(db, params.cluster)))
    // Asked for before: once it is forgotten, nobody is let to it.
    const kube = outer.dryRun ? undefined : await reachable(connections, cluster.id)
    await commit(async (ctx) => service.deleteCluster(ctx, cluster.id, kube !== undefined))
    if (kube) await withdraw(outer, kube, cluster)
  })
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

/** A Cluster that is gone for good can be forgotten too. */
async function reachable(connections: Connections, clusterId: string): Promise<Kube | undefined> {
  try {
    return (await connections.connect(clusterId)).kube
  } catch (thrown) {
    if (thrown instanceof AppError) return undefined
    throw thrown
  }
}

function slugsIn({ read }: Pick<RequestContext, 'read'>): Registering['slugOf'] {
  return async (id) => (await read((db) => queries.findCluster(db, id)))?.slug
}

function credentialRoutes(
  routes: Routes,
  connections: Connections,
  viewed: (platform: Platform, cluster: Cluster) => views.Cluster,
): void {
  routes.onOutside(contract.rotateClusterCredentials, async ({ params }, outer, commit) => {
    const before = found(await outer.read((db) => queries.findCluster(db, params.cluster)))
    if (before.credential.kind !== 'service-account')
      throw fleetErrors.cluster_credentials_given({ cluster: before.slug })
    const { kube } = await connections.connect(before.id)
    const renewed = outer.dryRun ? before : await renewToken(outer, kube, before)
    return commit(async (ctx) => viewed(ctx, await service.storeToken(ctx, before, renewed)))
  })
  routes.on(contract.getClusterManifest, async (_, ctx) => ({ yaml: manifestYaml(markOf(ctx, undefined)) }))
}

function clusterView(
  cluster: Cluster,
  { health, facts, signs }: ClusterStatus,
  { clock, installationId }: Pick<Platform, 'clock' | 'installationId'>,
): views.Cluster {
  const { credential } = cluster
  const { skewMs, certificateExpiresAt } = signs
  const now = clock.now()
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
    capacity: facts?.capacity ?? null,
    credentials: { kind: credential.kind, expiresAt: credential.expiresAt },
    certificateExpiresAt: certificateExpiresAt?.toISOString() ?? null,
    clockSkewSeconds: skewMs === undefined ? null : Math.round(skewMs / 100) / 10,
    warnings: [...warningsOf({ facts, credential, installationId, skewMs, certificateExpiresAt, now })],
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
