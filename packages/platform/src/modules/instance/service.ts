import { errorOf, messageOf } from '@slipway/kit'
import { findObject, KubeError, type ExecSession, type Kube, type Live } from '@slipway/kube'

import type { RequestContext } from '../../context.ts'
import { found } from '../../http/errors.ts'
import { findWorkload, type Workload } from '../app/index.ts'
import { PROCESS_LABEL, WORKLOAD_LABEL, type ClusterConnection, type Clusters } from '../fleet/index.ts'
import { instanceErrors } from './errors.ts'
import { useOf } from './manifests.ts'
import { partsOfInstance, type Use } from './model.ts'

type Pod = Live<'pods'>

/** A Workload and the way to its Cluster. */
export type Place = { readonly workload: Workload; readonly connection: ClusterConnection }

/** @throws {AppError} `not_found`, `cluster_unreachable` */
export async function placeOf(ctx: RequestContext, clusters: Clusters, workloadId: string): Promise<Place> {
  const workload = found(await ctx.read((db) => findWorkload(db, workloadId)))
  return { workload, connection: await clusters.connect(workload.clusterId) }
}

/** All pods of a Workload: as a watch has seen them, else asked for. */
export async function podsOf({ workload, connection }: Place, signal: AbortSignal): Promise<readonly Pod[]> {
  const seen = connection.podsSeen?.(workload.namespace)
  if (seen) return seen.filter(({ metadata }) => metadata.labels?.[WORKLOAD_LABEL] === workload.id)
  const pods: Pod[] = []
  let next: string | undefined
  do {
    const page = await asked(() =>
      connection.kube.list('pods', {
        namespace: workload.namespace,
        labelSelector: `${WORKLOAD_LABEL}=${workload.id}`,
        limit: 500,
        continue: next,
        signal,
      }),
    )
    pods.push(...page.items)
    next = page.continue
  } while (next !== undefined)
  return pods
}

/** An Instance's pod, asked for afresh. A pod of the same namespace that is not this Workload's does not exist here. */
export async function findPod(
  place: Place,
  instanceId: string,
  signal: AbortSignal,
): Promise<Pod | undefined> {
  const { workload, connection } = place
  const target = { namespace: workload.namespace, name: partsOfInstance(instanceId).podName }
  const pod = await asked(() => findObject(connection.kube, 'pods', target, { signal }))
  return pod?.metadata.labels?.[WORKLOAD_LABEL] === workload.id ? pod : undefined
}

/** Use by pod name. A Cluster that does not measure, or not for us, has none. */
export async function usesOf(
  { workload, connection }: Place,
  podName: string | undefined,
  ctx: RequestContext,
): Promise<ReadonlyMap<string, Use>> {
  const { namespace } = workload
  const { signal } = ctx
  try {
    const metrics =
      podName === undefined
        ? (
            await connection.kube.list('podmetrics', {
              namespace,
              labelSelector: `${WORKLOAD_LABEL}=${workload.id}`,
              signal,
            })
          ).items
        : [await connection.kube.get('podmetrics', { namespace, name: podName }, { signal })]
    return new Map(metrics.map((one) => [one.metadata.name, useOf(one)]))
  } catch (thrown) {
    if (!(thrown instanceof KubeError)) throw thrown
    ctx.log.debug({ workload: workload.id, error: messageOf(thrown) }, 'no use is known')
    return new Map()
  }
}

export type Event = Live<'events'>
const EVENTS_MAX = 1_000

/** What the Cluster reports about a pod, newest first. */
export async function eventsOf({ connection }: Place, pod: Pod, signal: AbortSignal): Promise<Event[]> {
  const { name, namespace = '', uid } = pod.metadata
  const page = await asked(() =>
    connection.kube.list('events', {
      namespace,
      fieldSelector: `involvedObject.kind=Pod,involvedObject.name=${name}`,
      limit: EVENTS_MAX,
      signal,
    }),
  )
  return page.items
    .filter(({ involvedObject }) => involvedObject.uid === undefined || involvedObject.uid === uid)
    .toSorted(
      (a, b) => lastTimeOf(b).localeCompare(lastTimeOf(a)) || a.metadata.name.localeCompare(b.metadata.name),
    )
}

export function lastTimeOf(event: Event): string {
  return (
    event.series?.lastObservedTime ??
    event.lastTimestamp ??
    event.eventTime ??
    event.metadata.creationTimestamp ??
    new Date(0).toISOString()
  )
}

/** Ends a pod within its grace time; only the very one that was looked at. */
export async function removePod(connection: ClusterConnection, pod: Pod, signal: AbortSignal): Promise<void> {
  const { name, namespace = '', uid } = pod.metadata
  try {
    await asked(() => connection.kube.remove('pods', { name, namespace }, { preconditions: { uid }, signal }))
  } catch (thrown) {
    const cause = thrown instanceof Error ? thrown.cause : undefined
    // Gone already, or replaced by another one of that name: it has ended, which is what was asked for.
    if (cause instanceof KubeError && (cause.code === 404 || cause.code === 409)) return
    throw thrown
  }
}

/** The container a question is about: the named one, or that of the process. @throws {AppError} `instance_container_unknown` */
export function containerOf(pod: Pod, wanted: string | undefined): string {
  const names = (pod.spec?.containers ?? []).map(({ name }) => name)
  const process = pod.metadata.labels?.[PROCESS_LABEL]
  const name = wanted ?? names.find((one) => one === process) ?? names[0]
  if (name === undefined || !names.includes(name))
    throw instanceErrors.instance_container_unknown({ container: wanted ?? '', known: names.join(', ') })
  return name
}

/** @throws {AppError} `instance_not_started` */
export function assertStarted(pod: Pod, container: string): void {
  const status = pod.status?.containerStatuses?.find(({ name }) => name === container)
  if (status?.state?.running === undefined)
    throw instanceErrors.instance_not_started({ instance: pod.metadata.name })
}

/** The nicest shell that is there; every image with a shell has `sh`. */
export const SHELL: readonly string[] = ['sh', '-c', 'command -v bash >/dev/null 2>&1 && exec bash; exec sh']

/** Starts a command in a container. @throws {AppError} `instance_cluster_silent`, `instance_cluster_refused` */
export function startCommand(
  kube: Kube,
  pod: Pod,
  options: Parameters<Kube['exec']>[1],
): Promise<ExecSession> {
  const { name, namespace = '' } = pod.metadata
  return asked(() => kube.exec({ name, namespace }, options))
}

/** A Cluster's refusal in our words. What the caller has ended stays what it is. */
export async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (thrown) {
    throw refusalOf(thrown)
  }
}

export function refusalOf(thrown: unknown): Error {
  if (!(thrown instanceof KubeError)) return errorOf(thrown)
  const problem = thrown.message.slice(0, 200)
  if (thrown.code === 0 || thrown.code >= 500 || thrown.code === 429)
    return instanceErrors.instance_cluster_silent(
      { problem },
      { cause: thrown, retryAfterSeconds: thrown.retryAfterSeconds ?? 5 },
    )
  return instanceErrors.instance_cluster_refused({ problem }, { cause: thrown })
}
