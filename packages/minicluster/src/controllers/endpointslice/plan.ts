/*
 * The EndpointSlices of one Service. Pods are grouped by the port numbers at which they really serve: instances on one machine
 * cannot share a port, so each has a number of its own, which its node writes into the annotation `slipway/ports`. Existing
 * slices are kept and changed as little as possible: endpoints stay in their slice, new ones fill up what has room.
 */
import { isRecord } from '@slipway/kit'

import type { Objects, Stored } from '../../model.ts'
import { isFinished, isReady, ownerReference, type Pod } from '../pods.ts'

export type Service = Stored<'services'>
export type Slice = Stored<'endpointslices'>
export type Endpoint = NonNullable<Slice['endpoints']>[number]
type SlicePort = NonNullable<Slice['ports']>[number]
type ServicePort = NonNullable<NonNullable<Service['spec']>['ports']>[number]

export const PORTS_ANNOTATION = 'slipway/ports'
export const SERVICE_LABEL = 'kubernetes.io/service-name'
export const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by'
export const MANAGED_BY = 'endpointslice-controller.k8s.io'
export const ENDPOINTS_MAX = 100
const PORTS_TEXT_MAX = 16_384

export type SlicePlan = {
  readonly create: readonly Objects['endpointslices'][]
  readonly update: readonly Objects['endpointslices'][]
  readonly remove: readonly Slice[]
}

type Group = { readonly ports: readonly SlicePort[]; readonly endpoints: Map<string, Endpoint> }

/** Decides the slices of a Service that has a selector. `slices` are those this controller made for it. */
export function planSlices(service: Service, pods: readonly Pod[], slices: readonly Slice[]): SlicePlan {
  const groups = groupPods(service, pods)
  const create: Objects['endpointslices'][] = []
  const update: Objects['endpointslices'][] = []
  const kept = new Set<Slice>()
  for (const [key, group] of groups) {
    const present = slices.filter((slice) => portsKey(slice.ports ?? []) === key)
    const filled = fillSlices(group, present)
    for (const [slice, endpoints] of filled.kept) {
      kept.add(slice)
      const next = sliceOf(service, group.ports, endpoints, slice)
      if (!isSameSlice(slice, next)) update.push(next)
    }
    for (const endpoints of filled.more) create.push(sliceOf(service, group.ports, endpoints, undefined))
  }
  return { create, update, remove: slices.filter((slice) => !kept.has(slice)) }
}

function groupPods(service: Service, pods: readonly Pod[]): ReadonlyMap<string, Group> {
  const groups = new Map<string, Group>()
  for (const pod of pods) {
    const endpoint = endpointOf(service, pod)
    if (!endpoint) continue
    const ports = portsOf(service, pod)
    const key = portsKey(ports)
    const group = groups.get(key) ?? { ports, endpoints: new Map<string, Endpoint>() }
    group.endpoints.set(pod.metadata.uid, endpoint)
    groups.set(key, group)
  }
  // A Service without pods keeps one empty slice, as on the real server, so that its readers find something.
  if (groups.size === 0) groups.set(portsKey([]), { ports: [], endpoints: new Map() })
  return groups
}

function endpointOf(service: Service, pod: Pod): Endpoint | undefined {
  const address = pod.status?.podIP
  if (address === undefined || address === '' || isFinished(pod)) return undefined
  const isTerminating = pod.metadata.deletionTimestamp !== undefined
  const serving = isReady(pod)
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !isTerminating)
  return {
    addresses: [address],
    conditions: { ready, serving, terminating: isTerminating },
    ...(pod.spec?.nodeName === undefined ? {} : { nodeName: pod.spec.nodeName }),
    targetRef: {
      kind: 'Pod',
      name: pod.metadata.name,
      uid: pod.metadata.uid,
      ...(pod.metadata.namespace === undefined ? {} : { namespace: pod.metadata.namespace }),
    },
  }
}

/** The ports of a Service as this pod serves them; a named port the pod does not have is left out. */
export function portsOf(service: Service, pod: Pod): readonly SlicePort[] {
  const actual = actualPorts(pod)
  const ports: SlicePort[] = []
  for (const port of service.spec?.ports ?? []) {
    const number = containerPort(port, pod)
    if (number === undefined) continue
    ports.push({
      name: port.name ?? '',
      port: actual.get(number) ?? number,
      protocol: port.protocol ?? 'TCP',
      ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
    })
  }
  return ports
}

function containerPort(port: ServicePort, pod: Pod): number | undefined {
  const target = port.targetPort ?? port.port
  if (typeof target === 'number') return target
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]
  for (const container of containers) {
    const named = container.ports?.find(
      (one) => one.name === target && (one.protocol ?? 'TCP') === (port.protocol ?? 'TCP'),
    )
    if (named) return named.containerPort
  }
  return undefined
}

/** The node's translation of container ports, from the annotation; anything that is not a port is left out. */
function actualPorts(pod: Pod): ReadonlyMap<number, number> {
  const text = pod.metadata.annotations?.[PORTS_ANNOTATION]
  const ports = new Map<number, number>()
  if (text === undefined || text.length > PORTS_TEXT_MAX) return ports
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Anybody may annotate a pod; without a readable translation the container's own ports count.
    return ports
  }
  if (!isRecord(value)) return ports
  for (const [from, to] of Object.entries(value))
    if (isPort(Number(from)) && isPort(to)) ports.set(Number(from), to)
  return ports
}

function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536
}

function portsKey(ports: readonly SlicePort[]): string {
  return ports
    .map((port) => `${port.name ?? ''}/${port.protocol ?? 'TCP'}/${port.port ?? 0}/${port.appProtocol ?? ''}`)
    .sort()
    .join(' ')
}

function fillSlices(
  group: Group,
  present: readonly Slice[],
): { readonly kept: ReadonlyMap<Slice, Endpoint[]>; readonly more: readonly Endpoint[][] } {
  const left = new Map(group.endpoints)
  const kept = new Map<Slice, Endpoint[]>()
  for (const slice of present) {
    const staying: Endpoint[] = []
    for (const { targetRef } of slice.endpoints ?? []) {
      const endpoint = targetRef?.uid === undefined ? undefined : left.get(targetRef.uid)
      if (!endpoint || targetRef?.uid === undefined) continue
      staying.push(endpoint)
      left.delete(targetRef.uid)
    }
    kept.set(slice, staying)
  }
  const rest = [...left.values()]
  for (const endpoints of kept.values()) endpoints.push(...rest.splice(0, ENDPOINTS_MAX - endpoints.length))
  const more: Endpoint[][] = []
  while (rest.length > 0) more.push(rest.splice(0, ENDPOINTS_MAX))
  if (kept.size === 0 && more.length === 0) more.push([])
  // Empty slices go, but one stays where the group itself is the empty one.
  for (const [slice, endpoints] of kept)
    if (endpoints.length === 0 && (kept.size > 1 || group.endpoints.size > 0)) kept.delete(slice)
  return { kept, more }
}

function sliceOf(
  service: Service,
  ports: readonly SlicePort[],
  endpoints: readonly Endpoint[],
  present: Slice | undefined,
): Objects['endpointslices'] {
  const headless = service.spec?.clusterIP === 'None' ? { 'service.kubernetes.io/headless': '' } : {}
  const labels = {
    ...service.metadata.labels,
    ...headless,
    [SERVICE_LABEL]: service.metadata.name,
    [MANAGED_BY_LABEL]: MANAGED_BY,
  }
  if (present) return { ...present, metadata: { ...present.metadata, labels }, endpoints, ports }
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${service.metadata.name}-`,
      ...(service.metadata.namespace === undefined ? {} : { namespace: service.metadata.namespace }),
      labels,
      ownerReferences: [ownerReference(service)],
    },
    addressType: 'IPv4',
    endpoints,
    ports,
  }
}

function isSameSlice(slice: Slice, next: Objects['endpointslices']): boolean {
  return (
    JSON.stringify([slice.endpoints, sortedEntries(slice.metadata.labels)]) ===
    JSON.stringify([next.endpoints, sortedEntries(next.metadata?.labels)])
  )
}

function sortedEntries(labels: Readonly<Record<string, string>> | undefined): readonly (readonly string[])[] {
  return Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
}
