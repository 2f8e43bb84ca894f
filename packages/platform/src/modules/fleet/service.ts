import { isForeignKeyViolation, isUniqueViolation } from '@slipway/db'
import { eachObject, parseKubeconfig, type Live } from '@slipway/kube'

import type { Ctx, Platform } from '../../context.ts'
import type { Db } from '../../tables.ts'
import { wake } from '../../control/index.ts'
import { found, httpErrors } from '../../http/errors.ts'
import { credentialsOwner } from './connections.ts'
import { expiryOf } from './credential.ts'
import { fleetErrors } from './errors.ts'
import { isReady } from './facts.ts'
import { WORKLOAD_LABEL, type Cluster, type ClusterConnection, type GatewaySettings } from './model.ts'
import * as queries from './queries.ts'
import type { Registration } from './registration.ts'
import { CREDENTIAL_RECONCILER, type Renewed } from './rotation.ts'

const LOCAL_SLUG = 'local'

/**
 * Id of the Cluster named by id or slug, or of the default one.
 * @throws {AppError} `cluster_unknown`
 */
export async function resolveCluster(db: Db, name: string | undefined): Promise<string> {
  const id = await queries.findClusterId(db, name)
  if (id === undefined) throw fleetErrors.cluster_unknown({ cluster: name ?? 'default' })
  return id
}

export type NewCluster = {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly registration: Registration
  readonly isDefault: boolean
  readonly gateway: GatewaySettings
}

export async function createCluster(ctx: Ctx, input: NewCluster): Promise<Cluster> {
  const { id, registration } = input
  const cluster: Cluster = {
    id,
    slug: input.slug,
    name: input.name,
    credentials: ctx.envelope.seal(registration.kubeconfig, credentialsOwner(id)),
    credential: registration.credential,
    server: registration.server,
    gateway: input.gateway,
    isDefault: input.isDefault || !(await queries.hasDefault(ctx.db)),
    createdAt: ctx.now,
    updatedAt: ctx.now,
  }
  await put(ctx.db, cluster)
  const { kind, expiresAt } = cluster.credential
  const detail = { slug: cluster.slug, server: cluster.server, credentials: kind, expiresAt }
  ctx.note({ target: `cluster:${id}`, detail })
  await wake(ctx.db, CREDENTIAL_RECONCILER, id)
  return cluster
}

async function put(db: Db, cluster: Cluster): Promise<void> {
  try {
    await queries.putCluster(db, cluster)
  } catch (thrown) {
    if (isUniqueViolation(thrown)) throw fleetErrors.slug_taken({ slug: cluster.slug }, { cause: thrown })
    throw thrown
  }
}

export type ClusterChange = {
  readonly name?: string | undefined
  readonly isDefault?: true | undefined
  readonly registration?: Registration | undefined
  readonly gateway: GatewaySettings
}

export async function updateCluster(ctx: Ctx, id: string, change: ClusterChange): Promise<Cluster> {
  const before = found(await queries.findCluster(ctx.db, id))
  const given = Object.fromEntries(Object.entries(change.gateway).filter(([, value]) => value !== undefined))
  const cluster: Cluster = {
    ...before,
    name: change.name ?? before.name,
    isDefault: change.isDefault ?? before.isDefault,
    gateway: { ...before.gateway, ...given },
    ...(change.registration && {
      credentials: ctx.envelope.seal(change.registration.kubeconfig, credentialsOwner(id)),
      credential: change.registration.credential,
      server: change.registration.server,
    }),
    updatedAt: ctx.now,
  }
  await put(ctx.db, cluster)
  if (change.registration) await wake(ctx.db, CREDENTIAL_RECONCILER, id)
  ctx.note({
    target: `cluster:${id}`,
    detail: {
      name: cluster.name,
      isDefault: cluster.isDefault,
      credentials: change.registration?.credential.kind ?? 'unchanged',
    },
  })
  return cluster
}

/** Stores a token that was made and proven; one that somebody else made meanwhile stays. */
export async function storeToken(ctx: Ctx, before: Cluster, renewed: Renewed): Promise<Cluster> {
  if (!(await queries.renewCredential(ctx.db, before, renewed))) throw httpErrors.generation_conflict()
  await wake(ctx.db, CREDENTIAL_RECONCILER, before.id)
  const { expiresAt } = renewed.credential
  ctx.note({ target: `cluster:${before.id}`, detail: { slug: before.slug, expiresAt } })
  return { ...before, ...renewed }
}

/** @param isReached - whether what registration put there can be taken back */
export async function deleteCluster(ctx: Ctx, id: string, isReached: boolean): Promise<void> {
  const cluster = found(await queries.findCluster(ctx.db, id))
  if (cluster.isDefault && (await queries.listClusters(ctx.db, { limit: 1 })).length > 1)
    throw fleetErrors.cluster_default()
  try {
    await queries.deleteCluster(ctx.db, id)
  } catch (thrown) {
    if (isForeignKeyViolation(thrown)) throw fleetErrors.cluster_in_use(undefined, { cause: thrown })
    throw thrown
  }
  ctx.note({ target: `cluster:${id}`, detail: { slug: cluster.slug, isReached } })
}

/** At each start: the embedded cluster is registered like any other, under its newest credentials. */
export async function upsertLocalCluster(platform: Platform, kubeconfig: string): Promise<void> {
  const { server, credentials } = parseKubeconfig(kubeconfig).access
  const expiresAt = expiryOf(credentials)?.toISOString() ?? null
  await platform.database.transactAsSystem(async (db) => {
    const before = await queries.findClusterBySlug(db, LOCAL_SLUG)
    const id = before?.id ?? platform.newId('clu')
    const now = platform.clock.now()
    await queries.putCluster(db, {
      id,
      slug: LOCAL_SLUG,
      name: before?.name ?? LOCAL_SLUG,
      credentials: platform.envelope.seal(kubeconfig, credentialsOwner(id)),
      credential: { kind: 'given', expiresAt },
      server,
      gateway: before?.gateway ?? {},
      isDefault: before?.isDefault ?? !(await queries.hasDefault(db)),
      createdAt: before?.createdAt ?? now,
      updatedAt: now,
    })
  })
}

export type NodeInfo = {
  readonly name: string
  readonly ready: boolean
  readonly schedulable: boolean
  readonly addresses: readonly string[]
  readonly kubeletVersion: string
  readonly cpu: string
  readonly memory: string
  readonly labels: Readonly<Record<string, string>>
}

/** One page of nodes, as the Cluster pages them. */
export async function listNodes(
  { kube, podsSeen }: Pick<ClusterConnection, 'kube' | 'podsSeen'>,
  page: { readonly limit: number; readonly continueToken: string | undefined },
  signal: AbortSignal,
): Promise<{
  readonly nodes: readonly (NodeInfo & { readonly instances: number })[]
  readonly next: string | undefined
}> {
  const answer = await kube.list('nodes', { limit: page.limit, continue: page.continueToken, signal })
  const instances = await instancesByNode(podsSeen?.() ?? podsAsked(kube, signal))
  const nodes = answer.items.map((node) => ({
    name: node.metadata.name,
    ready: isReady(node),
    schedulable: node.spec?.unschedulable !== true,
    addresses: (node.status?.addresses ?? []).map(({ address }) => address),
    kubeletVersion: node.status?.nodeInfo?.kubeletVersion ?? '',
    cpu: node.status?.allocatable?.['cpu'] ?? '0',
    memory: node.status?.allocatable?.['memory'] ?? '0',
    labels: node.metadata.labels ?? {},
    instances: instances.get(node.metadata.name) ?? 0,
  }))
  return { nodes, next: answer.continue }
}

/** All Instances, asked for at once: a question per node would make hundreds of them. */
function podsAsked(kube: ClusterConnection['kube'], signal: AbortSignal): AsyncIterable<Live<'pods'>> {
  return eachObject(kube, 'pods', { labelSelector: WORKLOAD_LABEL, signal })
}

async function instancesByNode(
  pods: Iterable<Live<'pods'>> | AsyncIterable<Live<'pods'>>,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  for await (const { metadata, spec } of pods) {
    const node = spec?.nodeName
    if (node !== undefined && metadata.deletionTimestamp === undefined)
      counts.set(node, (counts.get(node) ?? 0) + 1)
  }
  return counts
}
