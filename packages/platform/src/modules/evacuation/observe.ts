/* What a Cluster says about a node and all Workloads that have something on it. */
import { limiterOf } from '@slipway/kit'
import { eachObject, type Kube, type Live } from '@slipway/kube'

import type { Db } from '../../tables.ts'
import { findWorkload, type Workload } from '../app/index.ts'
import { BUILD_LABEL, findNode, hasEnded, WORKLOAD_LABEL, type ClusterConnection } from '../fleet/index.ts'
import { nodeSightOf, seatOf, wantedOf, type NodeSight } from './manifests.ts'
import type { Scene, Seat } from './model.ts'

type Pod = Live<'pods'>
type Read = <T>(run: (db: Db) => Promise<T>) => Promise<T>

const QUESTIONS_AT_ONCE = 8

export async function podsOn(
  kube: Kube,
  node: string,
  options: { readonly labelSelector?: string; readonly signal: AbortSignal },
): Promise<readonly Pod[]> {
  const pods: Pod[] = []
  for await (const pod of eachObject(kube, 'pods', { fieldSelector: `spec.nodeName=${node}`, ...options }))
    if (!hasEnded(pod)) pods.push(pod)
  return pods
}

/**
 * The Workloads of this Cluster with these ids. A pod's label proves nothing: it counts only where its Workload runs.
 */
export async function workloadsAt(
  read: Read,
  clusterId: string,
  ids: Iterable<string>,
): Promise<ReadonlyMap<string, Workload>> {
  const workloads = new Map<string, Workload>()
  await read(async (db) => {
    for (const id of new Set(ids)) {
      const workload = await findWorkload(db, id)
      if (workload?.clusterId === clusterId) workloads.set(id, workload)
    }
  })
  return workloads
}

export function isOf(pod: Pod, workloads: ReadonlyMap<string, Workload>): boolean {
  const workload = workloads.get(pod.metadata.labels?.[WORKLOAD_LABEL] ?? '')
  return workload !== undefined && workload.namespace === pod.metadata.namespace
}

/**
 * Asks the Cluster itself, not what was seen of it: what was done a moment ago must be seen, or too many would leave.
 * @param known - Workloads that had something on the node before
 */
export async function observeScene(
  { kube }: Pick<ClusterConnection, 'kube'>,
  about: { readonly clusterId: string; readonly node: string; readonly known: Iterable<string> },
  { read, signal }: { readonly read: Read; readonly signal: AbortSignal },
): Promise<
  Scene & {
    readonly sight: NodeSight | undefined
    readonly workloads: ReadonlyMap<string, Workload>
    /** Everything on the node, whosever it is. */
    readonly pods: number
  }
> {
  const [found, here] = await Promise.all([
    findNode(kube, about.node, { signal }),
    podsOn(kube, about.node, { signal }),
  ])
  const sight = found && nodeSightOf(found)
  const ids = here.flatMap(({ metadata }) => metadata.labels?.[WORKLOAD_LABEL] ?? [])
  const workloads = await workloadsAt(read, about.clusterId, [...about.known, ...ids])
  const limiter = limiterOf(QUESTIONS_AT_ONCE)
  const seats: Seat[] = []
  const wanted = new Map<string, number>()
  await Promise.all(
    [...workloads.values()].map((workload) =>
      limiter.run(async () => {
        const selection = {
          namespace: workload.namespace,
          labelSelector: `${WORKLOAD_LABEL}=${workload.id}`,
          signal,
        }
        for await (const pod of eachObject(kube, 'pods', selection))
          if (!hasEnded(pod)) seats.push(seatOf(pod, workload.organizationId))
        for await (const one of eachObject(kube, 'deployments', selection)) wanted.set(...wantedOf(one))
      }),
    ),
  )
  const builds = here.filter(({ metadata }) => metadata.labels?.[BUILD_LABEL] !== undefined).length
  return {
    sight,
    workloads,
    node: sight === undefined ? 'gone' : sight.ready ? 'ready' : 'lost',
    seats,
    wanted,
    builds,
    pods: here.length,
  }
}
