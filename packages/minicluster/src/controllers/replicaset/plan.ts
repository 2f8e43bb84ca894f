/*
 * What a ReplicaSet does next. First it settles which pods are its own (adopts matching orphans, releases what no longer
 * matches), then it compares the active ones with the wished count. Too few: pods are made. Too many: the ones whose loss costs
 * least go first, in the order of the real controller (unassigned, pending, unready, cheap by annotation, crowded node, younger
 * readiness, more restarts, younger).
 */
import type { Stored } from '../../model.ts'
import { timeText } from '../conditions.ts'
import { controllerOf } from '../kit.ts'
import { availableInMs, isActive, isFinished, isReady, type Pod, readySinceMs } from '../pods.ts'
import { matchesLabels, matchesSelector } from '../selector.ts'

export type ReplicaSet = Stored<'replicasets'>
type Status = NonNullable<ReplicaSet['status']>

/** More are made or deleted in the next pass. */
export const BURST_MAX = 500
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost'

export type Claims = {
  readonly own: readonly Pod[]
  readonly adopt: readonly Pod[]
  readonly release: readonly Pod[]
}

/** Sorts the pods of the namespace into own ones, orphans to adopt and strangers to let go. */
export function claimPods(replicaSet: ReplicaSet, pods: readonly Pod[]): Claims {
  const own: Pod[] = []
  const adopt: Pod[] = []
  const release: Pod[] = []
  for (const pod of pods) {
    const owner = controllerOf(pod)
    const matches = matchesSelector(replicaSet.spec?.selector, pod.metadata.labels)
    if (owner?.uid === replicaSet.metadata.uid) {
      if (matches || replicaSet.metadata.deletionTimestamp !== undefined) own.push(pod)
      else release.push(pod)
    } else if (!owner && matches && isActive(pod) && replicaSet.metadata.deletionTimestamp === undefined)
      adopt.push(pod)
  }
  return { own, adopt, release }
}

export type ScaleStep = { readonly create: number; readonly remove: readonly Pod[] }

/** How many pods to make, or which to delete, at most `BURST_MAX` in one pass. */
export function planScale(replicaSet: ReplicaSet, own: readonly Pod[]): ScaleStep {
  if (replicaSet.metadata.deletionTimestamp !== undefined) return { create: 0, remove: [] }
  const active = own.filter(isActive)
  const missing = (replicaSet.spec?.replicas ?? 1) - active.length
  if (missing >= 0) return { create: Math.min(missing, BURST_MAX), remove: [] }
  return { create: 0, remove: orderForDeletion(active).slice(0, Math.min(-missing, BURST_MAX)) }
}

/** Active pods, those first whose loss costs least. */
export function orderForDeletion(pods: readonly Pod[]): readonly Pod[] {
  const crowd = new Map<string, number>()
  for (const pod of pods) {
    const node = pod.spec?.nodeName
    if (node !== undefined) crowd.set(node, (crowd.get(node) ?? 0) + 1)
  }
  const ranked = pods.map((pod) => ({ pod, rank: deletionRank(pod, crowd) }))
  return ranked.sort((a, b) => compareRanks(a.rank, b.rank)).map(({ pod }) => pod)
}

const PHASE_RANK: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 }

function deletionRank(pod: Pod, crowd: ReadonlyMap<string, number>): readonly number[] {
  const node = pod.spec?.nodeName
  const restarts = (pod.status?.containerStatuses ?? []).map((status) => status.restartCount)
  return [
    node === undefined ? 0 : 1,
    PHASE_RANK[pod.status?.phase ?? 'Pending'] ?? 1,
    isReady(pod) ? 1 : 0,
    deletionCost(pod),
    -(node === undefined ? 0 : (crowd.get(node) ?? 0)),
    -(readySinceMs(pod) ?? 0),
    -Math.max(0, ...restarts),
    -Date.parse(pod.metadata.creationTimestamp),
  ]
}

function deletionCost(pod: Pod): number {
  const text = pod.metadata.annotations?.[DELETION_COST]
  return text !== undefined && /^[+-]?[0-9]{1,10}$/.test(text) ? Number(text) : 0
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) {
    const difference = value - (b[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

export type StatusPlan = {
  readonly status: Status
  /** When the next pod becomes available by minReadySeconds alone. */
  readonly againInMs: number | undefined
}

/** The status as it should stand. `failure` is what went wrong when pods were made or deleted just now. */
export function planStatus(
  replicaSet: ReplicaSet,
  own: readonly Pod[],
  failure: { readonly reason: string; readonly message: string } | undefined,
  now: Date,
): StatusPlan {
  const active = own.filter(isActive)
  const waits = active.map((pod) => availableInMs(pod, replicaSet.spec?.minReadySeconds ?? 0, now))
  const pendingMs = waits.filter((ms) => ms !== undefined && ms > 0) as number[]
  const labels = replicaSet.spec?.template?.metadata?.labels
  const counts = {
    replicas: active.length,
    fullyLabeledReplicas: active.filter((pod) => matchesLabels(labels, pod.metadata.labels)).length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: waits.filter((ms) => ms === 0).length,
    terminatingReplicas: own.filter((pod) => pod.metadata.deletionTimestamp !== undefined && !isFinished(pod))
      .length,
  }
  const status: Status = {
    replicas: counts.replicas,
    // Counts of zero are left out, as the real server does.
    ...(counts.fullyLabeledReplicas > 0 ? { fullyLabeledReplicas: counts.fullyLabeledReplicas } : {}),
    ...(counts.readyReplicas > 0 ? { readyReplicas: counts.readyReplicas } : {}),
    ...(counts.availableReplicas > 0 ? { availableReplicas: counts.availableReplicas } : {}),
    terminatingReplicas: counts.terminatingReplicas,
    observedGeneration: replicaSet.metadata.generation ?? 1,
    ...failureConditions(replicaSet, failure, now),
  }
  return { status, againInMs: pendingMs.length > 0 ? Math.min(...pendingMs) : undefined }
}

function failureConditions(
  replicaSet: ReplicaSet,
  failure: { readonly reason: string; readonly message: string } | undefined,
  now: Date,
): Pick<Status, 'conditions'> {
  const others = (replicaSet.status?.conditions ?? []).filter(
    (condition) => condition.type !== 'ReplicaFailure',
  )
  const known = replicaSet.status?.conditions?.find((condition) => condition.type === 'ReplicaFailure')
  if (!failure) return others.length > 0 ? { conditions: others } : {}
  const condition = {
    type: 'ReplicaFailure',
    status: 'True',
    reason: failure.reason,
    message: failure.message,
    lastTransitionTime: known?.lastTransitionTime ?? timeText(now),
  }
  return { conditions: [...others, condition] }
}
