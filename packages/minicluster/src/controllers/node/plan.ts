/*
 * When a node counts as lost, which taints it then carries, and when its pods must go. A node is judged by when its last sign
 * of life was *seen* here, not by the time written in it: after the machine has slept, everything looks old until the node
 * agent has had its turn, and nothing must be evicted for that.
 */
import type { Stored } from '../../model.ts'
import { timeText } from '../conditions.ts'
import { isFinished, type Pod } from '../pods.ts'

export type Node = Stored<'nodes'>
export type Taint = NonNullable<NonNullable<Node['spec']>['taints']>[number]
type Toleration = NonNullable<NonNullable<Pod['spec']>['tolerations']>[number]
type NodeCondition = NonNullable<NonNullable<Node['status']>['conditions']>[number]

/** A node whose last sign of life is older is lost. Source: node-monitor-grace-period of the real controller before 1.32. */
export const GRACE_MS = 40_000

const NOT_READY = 'node.kubernetes.io/not-ready'
const UNREACHABLE = 'node.kubernetes.io/unreachable'
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable'
const PRESSURES: Readonly<Record<string, string>> = {
  MemoryPressure: 'node.kubernetes.io/memory-pressure',
  DiskPressure: 'node.kubernetes.io/disk-pressure',
  PIDPressure: 'node.kubernetes.io/pid-pressure',
  NetworkUnavailable: 'node.kubernetes.io/network-unavailable',
}
const OURS = new Set([NOT_READY, UNREACHABLE, UNSCHEDULABLE, ...Object.values(PRESSURES)])

/** The conditions of a node that no longer reports: what it said last is unknown now. Undefined when they stand already. */
export function lostConditions(node: Node, now: Date): readonly NodeCondition[] | undefined {
  const conditions = node.status?.conditions ?? []
  const types = new Set(['Ready', ...conditions.map((condition) => condition.type)])
  if (conditions.length === types.size && conditions.every((condition) => condition.status === 'Unknown'))
    return undefined
  const at = timeText(now)
  return [...types].map((type) => {
    const known = conditions.find((condition) => condition.type === type)
    if (known?.status === 'Unknown') return known
    return {
      ...known,
      type,
      status: 'Unknown',
      reason: known ? 'NodeStatusUnknown' : 'NodeStatusNeverUpdated',
      message: known ? 'Kubelet stopped posting node status.' : 'Kubelet never posted node status.',
      lastTransitionTime: at,
    }
  })
}

/** The taints a node should carry; foreign ones stay as they are. */
export function wantedTaints(node: Node, now: Date): readonly Taint[] {
  const present = node.spec?.taints ?? []
  const statusOf = (type: string) =>
    node.status?.conditions?.find((condition) => condition.type === type)?.status
  const wanted: Pick<Taint, 'key' | 'effect'>[] = []
  if (node.spec?.unschedulable === true) wanted.push({ key: UNSCHEDULABLE, effect: 'NoSchedule' })
  for (const [type, key] of Object.entries(PRESSURES))
    if (statusOf(type) === 'True') wanted.push({ key, effect: 'NoSchedule' })
  const ready = statusOf('Ready')
  if (ready !== 'True') {
    const key = ready === 'False' ? NOT_READY : UNREACHABLE
    wanted.push({ key, effect: 'NoSchedule' }, { key, effect: 'NoExecute' })
  }
  const isSame = (a: Pick<Taint, 'key' | 'effect'>, b: Pick<Taint, 'key' | 'effect'>): boolean =>
    a.key === b.key && a.effect === b.effect
  return [
    ...present.filter((taint) => !OURS.has(taint.key)),
    ...wanted.map(
      (taint) => present.find((one) => isSame(one, taint)) ?? { ...taint, timeAdded: timeText(now) },
    ),
  ]
}

/** True when two lists of taints say the same. */
export function isSameTaints(a: readonly Taint[], b: readonly Taint[]): boolean {
  const text = (taints: readonly Taint[]): string =>
    taints
      .map((taint) => `${taint.key}=${taint.value ?? ''}:${taint.effect}`)
      .sort()
      .join(',')
  return text(a) === text(b)
}

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect !== undefined && toleration.effect !== '' && toleration.effect !== taint.effect)
    return false
  const operator = toleration.operator ?? 'Equal'
  if (toleration.key === undefined || toleration.key === '') return operator === 'Exists'
  if (toleration.key !== taint.key) return false
  return operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? '')
}

/**
 * Milliseconds until a pod must leave its node because of NoExecute taints: 0 at once, undefined never. The shortest
 * `tolerationSeconds` of the tolerations in use counts, from the time the taint was added.
 */
export function evictionInMs(pod: Pod, taints: readonly Taint[], now: Date): number | undefined {
  const executing = taints.filter((taint) => taint.effect === 'NoExecute')
  if (executing.length === 0 || isFinished(pod) || pod.metadata.deletionTimestamp !== undefined)
    return undefined
  let dueMs: number | undefined
  for (const taint of executing) {
    const matching = (pod.spec?.tolerations ?? []).filter((toleration) => tolerates(toleration, taint))
    if (matching.length === 0) return 0
    const seconds = matching.flatMap((toleration) => toleration.tolerationSeconds ?? [])
    if (seconds.length === 0) continue
    const sinceMs = taint.timeAdded === undefined ? now.getTime() : Date.parse(taint.timeAdded)
    const atMs = sinceMs + Math.max(0, Math.min(...seconds)) * 1000
    dueMs = Math.min(dueMs ?? atMs, atMs)
  }
  return dueMs === undefined ? undefined : Math.max(0, dueMs - now.getTime())
}
