/*
 * Whether a rollout fits before it begins. Pure. The Cluster's nodes are filled as its scheduler would: what runs stays, what
 * waits for a node is placed first, then what the rollout brings, the largest first, each on the first node that takes it. A
 * rollout has moments at which most is there; each of them must fit.
 */
import type { Live } from '@slipway/kube'

import { amountOf, hasEnded, isReady, requestsOf, type Amount } from '../fleet/index.ts'
import { labels } from './manifests.ts'
import type { Release } from './model.ts'

type Pod = Live<'pods'>
type Node = Live<'nodes'>
export type PodSpec = NonNullable<Pod['spec']>

/** Instances of one process that a moment of the rollout needs beside what runs already. */
export type Need = { readonly process: string; readonly count: number; readonly spec: PodSpec }
/** Instances that make way before that moment. */
export type Gone = { readonly hash: string; readonly process: string; readonly count: number }
export type Moment = { readonly needs: readonly Need[]; readonly gone: readonly Gone[] }

export type CapacityInput = {
  readonly nodes: readonly Node[]
  /** Every pod of the Cluster. */
  readonly pods: readonly Pod[]
  readonly workloadId: string
  readonly moments: readonly Moment[]
}

/** What is short: no node takes such Instances at all, or those that do lack one of the others. */
export type Lack = 'nodes' | 'cpu' | 'memory' | 'instances'
export type Verdict =
  | { readonly fits: true }
  | {
      readonly fits: false
      readonly process: string
      readonly wanted: number
      /** How many of the wanted ones find a place. */
      readonly room: number
      readonly lacks: Lack
    }

/** Whether the old version is kept whole until the end, or makes way as the traffic leaves it. */
export type Reserve = Release['reserve']

/** What the capacity gate found; `needs` says in words what the rollout brings. */
export type Capacity =
  | { readonly kind: 'fits'; readonly reserve: Reserve; readonly needs: string }
  | {
      readonly kind: 'short'
      readonly short: Extract<Verdict, { fits: false }>
      readonly needs: string
      /** It would fit if the old version made way. */
      readonly lowerFits: boolean
    }
  /** The account that we have there may not look. */
  | { readonly kind: 'unknown' }

type Room = { readonly node: Node; milliCores: number; memoryBytes: number; instances: number }

export function judgeCapacity(input: CapacityInput): Verdict {
  for (const moment of input.moments) {
    const verdict = judgeMoment(input, moment)
    if (!verdict.fits) return verdict
  }
  return { fits: true }
}

function judgeMoment(input: CapacityInput, { needs, gone }: Moment): Verdict {
  const rooms = input.nodes.map(roomOf)
  const staying = stayingPods(input, gone)
  const byName = new Map(rooms.map((room) => [room.node.metadata.name, room]))
  for (const { spec } of staying) {
    const room = byName.get(spec?.nodeName ?? '')
    if (room) take(room, requestsOf(spec))
  }
  // What waits for a node already is before us in the queue; where nothing takes it, it takes nothing.
  for (const { spec } of staying) if (spec && spec.nodeName === undefined) place(rooms, spec)
  for (const need of needs.toSorted((a, b) => sizeOf(b) - sizeOf(a))) {
    let room = 0
    while (room < need.count && place(rooms, need.spec)) room += 1
    if (room < need.count)
      return {
        fits: false,
        process: need.process,
        wanted: need.count,
        room,
        lacks: lackOf(rooms, need.spec),
      }
  }
  return { fits: true }
}

function sizeOf({ spec }: Need): number {
  return requestsOf(spec).memoryBytes
}

function roomOf(node: Node): Room {
  const { cpuCores, memoryBytes } = amountOf(node.status?.allocatable)
  const instances = Number(node.status?.allocatable?.['pods'] ?? 0)
  return { node, milliCores: Math.round(cpuCores * 1_000), memoryBytes, instances }
}

/** Pods that hold their place: those that have not ended, without what makes way. */
function stayingPods({ pods, workloadId }: CapacityInput, gone: readonly Gone[]): readonly Pod[] {
  const left = new Map(gone.map(({ hash, process, count }) => [`${hash} ${process}`, count]))
  return pods.filter((pod) => {
    if (hasEnded(pod)) return false
    const { metadata } = pod
    if (metadata.labels?.[labels.workload] !== workloadId) return true
    const key = `${metadata.labels[labels.version]} ${metadata.labels[labels.process]}`
    const count = left.get(key) ?? 0
    left.set(key, count - 1)
    return count <= 0
  })
}

function take(room: Room, { cpuCores, memoryBytes }: Amount): void {
  room.milliCores -= Math.round(cpuCores * 1_000)
  room.memoryBytes -= memoryBytes
  room.instances -= 1
}

function place(rooms: readonly Room[], spec: PodSpec): boolean {
  const amount = requestsOf(spec)
  const room = rooms.find((one) => takes(one.node, spec) && shortOf(one, amount) === undefined)
  if (room) take(room, amount)
  return room !== undefined
}

function shortOf(room: Room, { cpuCores, memoryBytes }: Amount): Lack | undefined {
  if (room.instances < 1) return 'instances'
  if (room.milliCores < Math.round(cpuCores * 1_000)) return 'cpu'
  return room.memoryBytes < memoryBytes ? 'memory' : undefined
}

/** What most of the nodes that would take it are short of. */
function lackOf(rooms: readonly Room[], spec: PodSpec): Lack {
  const amount = requestsOf(spec)
  const lacks = rooms.filter(({ node }) => takes(node, spec)).map((room) => shortOf(room, amount))
  const counted = (['cpu', 'memory', 'instances'] as const).map((lack) => ({
    lack,
    count: lacks.filter((one) => one === lack).length,
  }))
  const [most] = counted.toSorted((a, b) => b.count - a.count)
  return most === undefined || most.count === 0 ? 'nodes' : most.lack
}

/** Whether a node is open to a pod: ready, not cordoned, with the labels asked for and no taint that is not tolerated. */
function takes(node: Node, spec: PodSpec): boolean {
  const has = node.metadata.labels ?? {}
  if (!isReady(node) || node.spec?.unschedulable === true) return false
  if (!Object.entries(spec.nodeSelector ?? {}).every(([name, value]) => has[name] === value)) return false
  return (node.spec?.taints ?? [])
    .filter(({ effect }) => effect !== 'PreferNoSchedule')
    .every((taint) =>
      (spec.tolerations ?? []).some(
        ({ key, value, effect, operator }) =>
          (key === undefined || key === '' || key === taint.key) &&
          (effect === undefined || effect === '' || effect === taint.effect) &&
          (operator === 'Exists' || (value ?? '') === (taint.value ?? '')),
      ),
    )
}

/** `4 × web (0.05 CPU, 128 MiB)`, for people. */
export function needsText(needs: readonly Need[]): string {
  return needs
    .filter(({ count }) => count > 0)
    .map(({ process, count, spec }) => {
      const { cpuCores, memoryBytes } = requestsOf(spec)
      return `${count} × ${process} (${cpuCores} CPU, ${Math.ceil(memoryBytes / 1024 ** 2)} MiB)`
    })
    .join(', ')
}
