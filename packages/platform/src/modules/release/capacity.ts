/*
 * Whether a rollout fits before it begins. Pure. The Cluster's nodes are filled as its scheduler would: what runs stays, what
 * waits for a node is placed first, then what the rollout brings, the largest first, each on the first node that takes it. A
 * rollout has moments at which most is there; each of them must fit.
 */
import type { Live } from '@slipway/kube'

import { hasEnded, requestsOf } from '../fleet/index.ts'
import { askRooms, roomOf, settleIn, type Exclusion, type Room, type Tenant } from './fitting.ts'
import { labels } from './manifests.ts'
import type { Release } from './model.ts'

type Pod = Live<'pods'>

/** Instances of one process that a moment of the rollout needs beside what runs already. */
export type Need = { readonly process: string; readonly count: number; readonly pod: Tenant }
/** Instances that make way before that moment. */
export type Gone = { readonly hash: string; readonly process: string; readonly count: number }
export type Moment = { readonly needs: readonly Need[]; readonly gone: readonly Gone[] }

export type CapacityInput = {
  readonly nodes: readonly Live<'nodes'>[]
  /** Every pod of the Cluster. */
  readonly pods: readonly Pod[]
  /** What other Releases may bring that have been let through, and is not there yet. */
  readonly promised: readonly Need[]
  readonly workloadId: string
  readonly moments: readonly Moment[]
}

/** What is short: no node takes such Instances at all, or those that do lack one of the others. */
export type Lack = 'nodes' | 'cpu' | 'memory' | 'instances'
/** Why how many nodes do not take one more. */
export type Excluded = Exclusion & { readonly count: number }
export type Verdict =
  | { readonly fits: true }
  | {
      readonly fits: false
      readonly process: string
      readonly wanted: number
      /** How many of the wanted ones find a place. */
      readonly room: number
      readonly lacks: Lack
      readonly nodes: number
      /** The most frequent reason first. */
      readonly excluded: readonly Excluded[]
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
  for (const pod of staying) {
    const room = byName.get(pod.spec?.nodeName ?? '')
    const tenant = tenantOf(pod)
    if (room && tenant) settleIn(room, tenant)
  }
  // What waits for a node already is before us in the queue, and so is what was promised; what nothing takes takes nothing.
  for (const pod of staying) {
    const tenant = pod.spec?.nodeName === undefined ? tenantOf(pod) : undefined
    if (tenant) place(rooms, tenant)
  }
  for (const { count, pod } of input.promised) placeAll(rooms, pod, count)
  for (const { process, count, pod } of needs.toSorted((a, b) => sizeOf(b) - sizeOf(a))) {
    const room = placeAll(rooms, pod, count)
    if (room < count) return { fits: false, process, wanted: count, room, ...exclusionsOf(rooms, pod) }
  }
  return { fits: true }
}

function sizeOf({ pod }: Need): number {
  return requestsOf(pod.spec).memoryBytes
}

function tenantOf({ metadata, spec }: Pod): Tenant | undefined {
  return spec && { namespace: metadata.namespace, labels: metadata.labels ?? {}, spec }
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

function place(rooms: readonly Room[], tenant: Tenant): boolean {
  const exclusionOf = askRooms(rooms, tenant)
  const room = rooms.find((one) => exclusionOf(one) === undefined)
  if (room) settleIn(room, tenant)
  return room !== undefined
}

/** @returns how many found a place */
function placeAll(rooms: readonly Room[], tenant: Tenant, count: number): number {
  let placed = 0
  while (placed < count && place(rooms, tenant)) placed += 1
  return placed
}

/** Why each node does not take one more, counted, and what most of those lack that are open to it. */
function exclusionsOf(
  rooms: readonly Room[],
  tenant: Tenant,
): { readonly lacks: Lack; readonly nodes: number; readonly excluded: readonly Excluded[] } {
  const counts = new Map<string, Excluded>()
  const exclusionOf = askRooms(rooms, tenant)
  for (const room of rooms) {
    const exclusion = exclusionOf(room)
    if (!exclusion) continue
    const key = `${exclusion.why} ${exclusion.what}`
    counts.set(key, { ...exclusion, count: (counts.get(key)?.count ?? 0) + 1 })
  }
  const excluded = [...counts.values()].toSorted((a, b) => b.count - a.count)
  const short = excluded.find(({ why }) => why === 'cpu' || why === 'memory' || why === 'instances')?.why
  const lacks = short === 'cpu' || short === 'memory' || short === 'instances' ? short : 'nodes'
  return { lacks, nodes: rooms.length, excluded }
}

const EXCLUDED_MAX = 6

/** `label disk=ssd × 3; cpu × 2`: what the texts of both languages are made of. */
export function excludedText(excluded: readonly Excluded[]): string {
  return excluded
    .slice(0, EXCLUDED_MAX)
    .map(({ why, what, count }) => `${why}${what === '' ? '' : ` ${what}`} × ${count}`)
    .join('; ')
}

/** `4 × web (0.05 CPU, 128 MiB)`, for people. */
export function needsText(needs: readonly Need[]): string {
  return needs
    .filter(({ count }) => count > 0)
    .map(({ process, count, pod }) => {
      const { cpuCores, memoryBytes } = requestsOf(pod.spec)
      return `${count} × ${process} (${cpuCores} CPU, ${Math.ceil(memoryBytes / 1024 ** 2)} MiB)`
    })
    .join(', ')
}
