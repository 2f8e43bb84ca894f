import { shorten } from '@slipway/kit'
import { eachObject, type Kube, type Live } from '@slipway/kube'

import type { Workload } from '../app/index.ts'
import type { ClusterConnection } from '../fleet/index.ts'
import {
  annotations,
  fingerprintOf,
  kinds,
  labels,
  objectName,
  type Kind,
  type Manifest,
} from './manifests.ts'
import { isWithin } from './diff.ts'
import { countedProcessOf, type Version } from './model.ts'

export type LiveObject = { readonly [K in Kind]: { readonly resource: K; readonly object: Live<K> } }[Kind]

/** A Workload's objects as its Cluster has them now. */
export type Seen = {
  readonly objects: readonly LiveObject[]
  readonly pods: readonly Live<'pods'>[]
}

/** Reads everything that carries the Workload's label, afresh. Gateway kinds only where the Cluster has them. */
export async function observe(
  kube: Kube,
  workload: Pick<Workload, 'id' | 'namespace'>,
  options: { readonly hasGateway: boolean; readonly signal: AbortSignal },
): Promise<Seen> {
  const selection = {
    namespace: workload.namespace,
    labelSelector: `${labels.workload}=${workload.id}`,
    signal: options.signal,
  }
  const lists = await Promise.all(
    presentKinds(options.hasGateway).map(async (resource) => {
      const objects: LiveObject[] = []
      // The resource and the object's type belong together; the compiler cannot follow them through the loop.
      for await (const object of eachObject(kube, resource, selection)) objects.push({ resource, object })
      return objects
    }),
  )
  const pods: Live<'pods'>[] = []
  for await (const pod of eachObject(kube, 'pods', selection)) pods.push(pod)
  return { objects: lists.flat(), pods }
}

/** The same as the watches hold it; undefined when one of them does not follow its kind, or may be old. */
export function known(
  { gateway, objectsSeen }: Pick<ClusterConnection, 'gateway' | 'objectsSeen'>,
  workload: Pick<Workload, 'id' | 'namespace'>,
): Seen | undefined {
  if (objectsSeen === undefined) return undefined
  const isHere = ({ metadata }: Live<Kind | 'pods'>): boolean => metadata.namespace === workload.namespace
  const lists = presentKinds(gateway !== undefined).map((resource) =>
    // The resource and the object's type belong together; the compiler cannot follow them through the loop.
    objectsSeen(resource, workload.id)
      ?.filter(isHere)
      .map((object) => ({ resource, object })),
  )
  const pods = objectsSeen('pods', workload.id)?.filter(isHere)
  const objects = lists.filter((list) => list !== undefined)
  return pods && objects.length === lists.length ? { objects: objects.flat(), pods } : undefined
}

function presentKinds(hasGateway: boolean): readonly Kind[] {
  return kinds.filter((kind) => hasGateway || (kind !== 'gateways' && kind !== 'httproutes'))
}

/** How much of a version runs, by its Deployment's and its pods' own word. */
export type VersionStatus = {
  /** Null when the counted process has no Deployment. */
  readonly wanted: number | null
  readonly ready: number
  /** The Deployment controller has seen the newest spec. */
  readonly observed: boolean
  /** Restarts of every Instance that is there. */
  readonly restarts: readonly Restarts[]
  readonly trouble: string
}

export type Restarts = {
  readonly instance: string
  readonly count: number
  readonly createdAt: Date
  /** The last end was not the application's doing: the node went down with it, or was stopped. */
  readonly lostWithNode: boolean
}

export function statusOf(seen: Seen, workload: Workload, version: Version): VersionStatus {
  const process = countedProcessOf(version.template)
  const name = objectName(workload, process, version.hash)
  const found = seen.objects.find(
    ({ resource, object }) => resource === 'deployments' && object.metadata.name === name,
  )
  const deployment = found?.resource === 'deployments' ? found.object : undefined
  const pods = seen.pods.filter(
    ({ metadata }) =>
      metadata.labels?.[labels.version] === version.hash && metadata.deletionTimestamp === undefined,
  )
  const observedGeneration = deployment?.status?.observedGeneration ?? 0
  return {
    wanted: deployment?.spec?.replicas ?? null,
    // Ready pods of the newest template only, so that a restart under way does not count old ones twice.
    ready: pods.filter((pod) => pod.metadata.labels?.[labels.process] === process && isReady(pod)).length,
    observed: deployment !== undefined && observedGeneration >= (deployment.metadata.generation ?? 0),
    restarts: pods.map(restartsOf),
    trouble: troubleOf(pods),
  }
}

/**
 * How a kubelet names the end of a container that it did not see, because it was down itself: `Unknown` comes from containerd,
 * `ContainerStatusUnknown` from the kubelet, `Terminated` says that the node was shut down in order.
 */
const LOST_WITH_NODE = new Set(['Unknown', 'ContainerStatusUnknown', 'Terminated'])

export function restartsOf(pod: Pick<Live<'pods'>, 'metadata' | 'status'>): Restarts {
  const [most] = (pod.status?.containerStatuses ?? []).toSorted((a, b) => b.restartCount - a.restartCount)
  const ended = most?.state?.terminated ?? most?.lastState?.terminated
  return {
    instance: pod.metadata.uid,
    count: most?.restartCount ?? 0,
    createdAt: new Date(pod.metadata.creationTimestamp ?? 0),
    lostWithNode: LOST_WITH_NODE.has(ended?.reason ?? ''),
  }
}

/** What the routes say about the traffic: the share of a version once every gateway confirmed, and what is wrong with them. */
export function routingOf(
  seen: Seen,
  service: string | undefined,
): { readonly confirmed: boolean; readonly weight: number; readonly trouble: string } {
  const routes = seen.objects.flatMap((one) => (one.resource === 'httproutes' ? [one.object] : []))
  const weights = routes.map(({ spec }) => {
    const refs = spec?.rules?.at(-1)?.backendRefs ?? []
    const total = refs.reduce((sum, { weight = 1 }) => sum + weight, 0)
    const own = refs.filter(({ name }) => name === service).reduce((sum, { weight = 1 }) => sum + weight, 0)
    return total === 0 ? 0 : Math.round((100 * own) / total)
  })
  const conditions = routes.map(({ metadata, status }) => ({
    generation: metadata.generation ?? 0,
    accepted: (status?.parents ?? []).map((parent) =>
      parent.conditions?.find(({ type }) => type === 'Accepted'),
    ),
  }))
  return {
    confirmed: conditions.every(
      ({ generation, accepted }) =>
        accepted.length > 0 &&
        accepted.every((one) => one?.status === 'True' && (one.observedGeneration ?? 0) >= generation),
    ),
    weight: Math.max(0, ...weights),
    trouble: conditions
      .flatMap(({ accepted }) => accepted)
      .filter((one) => one?.status === 'False')
      .map((one) => textOf(one?.reason, one?.message))
      .join('; '),
  }
}

export function isReady(pod: Live<'pods'>): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
}

const TROUBLE_LENGTH_MAX = 300

/** What the cluster says about the first Instance that does not come up. */
function troubleOf(pods: readonly Live<'pods'>[]): string {
  for (const pod of pods) {
    const unschedulable = pod.status?.conditions?.find(
      ({ type, status }) => type === 'PodScheduled' && status === 'False',
    )
    if (unschedulable) return textOf(unschedulable.reason, unschedulable.message)
    for (const { state, lastState } of pod.status?.containerStatuses ?? []) {
      const reason = state?.waiting?.reason
      if (reason !== undefined && reason !== 'ContainerCreating' && reason !== 'PodInitializing')
        return textOf(reason, state?.waiting?.message)
      const ended = lastState?.terminated ?? state?.terminated
      if (ended && ended.exitCode !== 0)
        return textOf(ended.reason, ended.message ?? `exit code ${ended.exitCode}`)
    }
    const silent = silentPortOf(pod)
    if (silent !== undefined) return textOf('NoAnswer', `nothing answers at port ${silent}`)
  }
  return ''
}

/** The port at which a container that runs has not answered once since it started. */
function silentPortOf({ spec, status }: Live<'pods'>): number | undefined {
  const silent = status?.containerStatuses?.find(
    ({ state, started }) => state?.running !== undefined && started === false,
  )
  return spec?.containers.find(({ name }) => name === silent?.name)?.ports?.[0]?.containerPort
}

/** What keeps the gateway from serving the address that a Workload has of its own; empty when nothing does. */
export function entranceTroubleOf(seen: Seen): string {
  const refused = seen.objects
    .flatMap((one) => (one.resource === 'gateways' ? [one.object] : []))
    .flatMap(({ status }) => status?.conditions ?? [])
    .find(({ type, status }) => type === 'Accepted' && status === 'False')
  return refused === undefined ? '' : textOf(refused.reason, refused.message)
}

function textOf(reason: string | undefined, message: string | undefined): string {
  const parts = [reason, message].filter((part) => part !== undefined && part !== '')
  return shorten(parts.join(': '), TROUBLE_LENGTH_MAX)
}

export type Difference =
  | { readonly kind: 'create'; readonly manifest: Manifest }
  | {
      readonly kind: 'apply'
      readonly manifest: Manifest
      readonly live: LiveObject
      readonly drifted: boolean
    }
  | { readonly kind: 'remove'; readonly live: LiveObject }

/**
 * The steps that bring what is seen to what is wanted. Only objects that carry the Workload's label are ever removed.
 * @param stamp - an epoch that every object must carry: during a rollout a new leader first marks all of them as its own
 */
export function differencesOf(
  manifests: readonly Manifest[],
  seen: Seen,
  stamp: number | undefined,
): Difference[] {
  const wanted = new Map(manifests.map((manifest) => [keyOf(manifest), manifest]))
  const changes = manifests.flatMap((manifest): Difference[] => {
    const live = seen.objects.find((one) => keyOf(one) === keyOf(manifest))
    if (!live) return [{ kind: 'create', manifest }]
    const same = live.object.metadata.annotations?.[annotations.applied] === fingerprintOf(manifest.object)
    const within = isWithin(manifest.object, live.object)
    const marked =
      stamp === undefined || live.object.metadata.annotations?.[annotations.epoch] === String(stamp)
    return same && within && marked ? [] : [{ kind: 'apply', manifest, live, drifted: same && !within }]
  })
  const removals = seen.objects
    .filter((live) => !wanted.has(keyOf(live)) && live.object.metadata.deletionTimestamp === undefined)
    .map((live): Difference => ({ kind: 'remove', live }))
  return [...changes, ...removals]
}

/** `<resource>/<name>` */
export function keyOf(one: Manifest | LiveObject): string {
  return `${one.resource}/${one.object.metadata?.name ?? ''}`
}
