import { eachObject, type Kube } from '@slipway/kube'

import type { RequestContext } from '../../context.ts'
import type { Db } from '../../tables.ts'
import { decide } from '../access/index.ts'
import { placesFor } from '../app/index.ts'
import { findBuild } from '../build/index.ts'
import { findNode, sumOf, type Clusters } from '../fleet/index.ts'
import { asked } from '../instance/index.ts'
import { findProjectSlugs } from '../tenancy/index.ts'
import { nodeFactsOf, tenantOf } from './manifests.ts'
import type { Amount, BuildPlace, NodeFacts, OwnedTenant, Sight, Tenant } from './model.ts'
import { ownedTenants } from './plan.ts'
import type { Uses } from './uses.ts'

export type NodePorts = { readonly clusters: Clusters; readonly uses: Uses }

/** A node with everything on it. */
export type Look = {
  readonly facts: NodeFacts
  readonly tenants: readonly OwnedTenant[]
  readonly requested: Amount
  readonly use: Amount | undefined
}

const PODS_MAX = 1_000

/** What is on a node now; undefined when there is no such node. @throws {AppError} when the Cluster does not answer */
export async function lookAt(
  ctx: RequestContext,
  { clusters, uses }: NodePorts,
  at: { readonly clusterId: string; readonly node: string },
): Promise<Look | undefined> {
  const { kube } = await clusters.connect(at.clusterId)
  const [node, podUses, use] = await Promise.all([
    asked(() => findNode(kube, at.node, { signal: ctx.signal })),
    uses.ofPods(at.clusterId, kube),
    uses.ofNode(kube, at.node, ctx.signal),
  ])
  if (!node) return undefined
  const tenants = await asked(() => tenantsOn(kube, at.node, podUses, ctx.signal))
  const sight = await ctx.read((db) => sightOf(ctx, db, at.clusterId, tenants))
  const facts = nodeFactsOf(node)
  const owned = ownedTenants(tenants, sight, facts.capacity)
  return { facts, tenants: owned, requested: sumOf(tenants.map((one) => one.requested)), use }
}

async function tenantsOn(
  kube: Kube,
  node: string,
  uses: Awaited<ReturnType<Uses['ofPods']>>,
  signal: AbortSignal,
): Promise<readonly Tenant[]> {
  const tenants: Tenant[] = []
  for await (const pod of eachObject(kube, 'pods', { fieldSelector: `spec.nodeName=${node}`, signal })) {
    const tenant = tenantOf(pod, uses.get(`${pod.metadata.namespace ?? ''}/${pod.metadata.name}`))
    if (tenant) tenants.push(tenant)
    if (tenants.length >= PODS_MAX) break
  }
  return tenants
}

/** What the caller may know of the owners. Everything is asked of the database: what a pod says of itself proves nothing. */
async function sightOf(
  ctx: RequestContext,
  db: Db,
  clusterId: string,
  tenants: readonly Tenant[],
): Promise<Sight> {
  const { account } = ctx
  const places = await placesFor({ db, account }, 'project:read', { cluster: clusterId })
  const builds: BuildPlace[] = []
  for (const { claim } of tenants) {
    const build = claim.kind === 'build' ? await findBuild(db, claim.buildId) : undefined
    if (!build || decide(account.access, 'project:read', build) !== 'allowed') continue
    const slugs = await findProjectSlugs(db, [build.projectId])
    builds.push({
      buildId: build.id,
      projectId: build.projectId,
      project: slugs.get(build.projectId) ?? '',
    })
  }
  const nowhere = { organizationId: null, projectId: null }
  return {
    workloads: new Map(places.map((place) => [place.id, place])),
    builds: new Map(builds.map((build) => [build.buildId, build])),
    seesNodes: decide(account.access, 'cluster:read', nowhere) === 'allowed',
  }
}
