/*
 * How many pods each version may have. The arithmetic is that of the real Deployment controller: surge rounds up, unavailability
 * rounds down, and if both come to nothing one pod may be unavailable, or no rollout could ever move.
 */
import { byCreation, type Deployment, MAX_REPLICAS, type ReplicaSet } from './template.ts'

export type Counts = ReadonlyMap<string, number>

export function wishedReplicas(deployment: Deployment): number {
  return deployment.spec?.replicas ?? 1
}

export function isRollingUpdate(deployment: Deployment): boolean {
  return deployment.spec?.strategy?.type !== 'Recreate'
}

type Limits = { readonly maxSurge: number; readonly maxUnavailable: number }

/** `maxSurge` and `maxUnavailable` as numbers of pods. */
export function rolloutLimits(deployment: Deployment): Limits {
  if (!isRollingUpdate(deployment)) return { maxSurge: 0, maxUnavailable: 0 }
  const wished = wishedReplicas(deployment)
  const rolling = deployment.spec?.strategy?.rollingUpdate
  const maxSurge = resolveCount(rolling?.maxSurge ?? '25%', wished, Math.ceil)
  const maxUnavailable = resolveCount(rolling?.maxUnavailable ?? '25%', wished, Math.floor)
  if (maxSurge === 0 && maxUnavailable === 0) return { maxSurge: 0, maxUnavailable: 1 }
  return { maxSurge, maxUnavailable }
}

/** How many may be missing before the Deployment counts as unavailable. */
export function maxUnavailableNow(deployment: Deployment): number {
  const wished = wishedReplicas(deployment)
  if (!isRollingUpdate(deployment) || wished === 0) return 0
  return Math.min(rolloutLimits(deployment).maxUnavailable, wished)
}

function resolveCount(value: number | string, total: number, round: (value: number) => number): number {
  if (typeof value === 'number') return value
  const percent = /^([0-9]{1,5})%$/.exec(value)
  return percent ? round((Number(percent[1]) * total) / 100) : 0
}

export function replicasOf(replicaSet: ReplicaSet): number {
  return replicaSet.spec?.replicas ?? 1
}

export function sumOf(
  replicaSets: readonly ReplicaSet[],
  count: (replicaSet: ReplicaSet) => number | undefined,
): number {
  return replicaSets.reduce((sum, replicaSet) => sum + (count(replicaSet) ?? 0), 0)
}

/** The count of the new version in the next step: never more pods in all than wished + surge. */
export function newVersionCount(deployment: Deployment, present: number, total: number): number {
  const wished = wishedReplicas(deployment)
  if (!isRollingUpdate(deployment)) return wished
  if (present >= wished) return wished
  const room = wished + rolloutLimits(deployment).maxSurge - total
  return room <= 0 ? present : present + Math.min(room, wished - present)
}

/** New counts of the old versions: unhealthy pods go first, then as many as availability allows, oldest version first. */
export function oldVersionCounts(
  deployment: Deployment,
  newReplicaSet: ReplicaSet,
  old: readonly ReplicaSet[],
): Counts {
  const counts = new Map<string, number>()
  const active = byCreation(old.filter((replicaSet) => replicasOf(replicaSet) > 0))
  if (active.length === 0) return counts
  const all = [...old, newReplicaSet]
  const minAvailable = wishedReplicas(deployment) - maxUnavailableNow(deployment)
  const newUnavailable = replicasOf(newReplicaSet) - (newReplicaSet.status?.availableReplicas ?? 0)
  let cleanable = sumOf(all, replicasOf) - minAvailable - newUnavailable
  if (cleanable <= 0) return counts

  for (const replicaSet of active) {
    const unhealthy = replicasOf(replicaSet) - (replicaSet.status?.availableReplicas ?? 0)
    const fewer = Math.min(cleanable, Math.max(0, unhealthy))
    if (fewer === 0) continue
    cleanable -= fewer
    counts.set(replicaSet.metadata.uid, replicasOf(replicaSet) - fewer)
  }
  let removable = sumOf(all, (replicaSet) => replicaSet.status?.availableReplicas) - minAvailable
  for (const replicaSet of active) {
    const present = counts.get(replicaSet.metadata.uid) ?? replicasOf(replicaSet)
    const fewer = Math.min(present, Math.max(0, removable))
    if (fewer === 0) continue
    removable -= fewer
    counts.set(replicaSet.metadata.uid, present - fewer)
  }
  return counts
}

/**
 * New counts when the wished number changes in the middle of a rollout: every version keeps its share, and what rounding leaves
 * over goes to the largest one.
 */
export function proportionalCounts(deployment: Deployment, active: readonly ReplicaSet[]): Counts {
  const wished = wishedReplicas(deployment)
  const allowed = wished > 0 ? wished + rolloutLimits(deployment).maxSurge : 0
  const toAdd = allowed - sumOf(active, replicasOf)
  const sorted = active.toSorted(
    (a, b) => replicasOf(b) - replicasOf(a) || (toAdd > 0 ? compareAge(b, a) : compareAge(a, b)),
  )
  const counts = new Map<string, number>()
  let added = 0
  for (const replicaSet of sorted) {
    const more = toAdd === 0 ? 0 : shareOf(deployment, replicaSet, { toAdd, added, allowed })
    added += more
    counts.set(replicaSet.metadata.uid, replicasOf(replicaSet) + more)
  }
  const [largest] = sorted
  if (largest && toAdd !== 0) {
    const present = counts.get(largest.metadata.uid) ?? 0
    counts.set(largest.metadata.uid, Math.max(0, present + toAdd - added))
  }
  return counts
}

function shareOf(
  deployment: Deployment,
  replicaSet: ReplicaSet,
  sum: { readonly toAdd: number; readonly added: number; readonly allowed: number },
): number {
  const present = replicasOf(replicaSet)
  const left = sum.toAdd - sum.added
  if (present === 0 || left === 0) return 0
  if (wishedReplicas(deployment) === 0) return -present
  const annotated = Number(
    replicaSet.metadata.annotations?.[MAX_REPLICAS] ?? deployment.status?.replicas ?? 0,
  )
  const before = annotated > 0 ? annotated : Math.max(1, sum.allowed)
  const change = Math.round((present * sum.allowed) / before) - present
  return sum.toAdd > 0 ? Math.min(change, left) : Math.max(change, left)
}

function compareAge(a: ReplicaSet, b: ReplicaSet): number {
  return Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp)
}
