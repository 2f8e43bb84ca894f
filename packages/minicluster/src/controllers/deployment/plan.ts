/*
 * What a Deployment does next. One pass makes at most one kind of move (create the new version, scale the new one, scale the old
 * ones) and then waits to be woken by what the move causes: availability is judged only on counts that the ReplicaSets have
 * reported, never on wishes. A change of the wished number in the middle of a rollout is told from a rollout by an annotation on
 * each ReplicaSet and handled first. Rules and texts are those of the real controller.
 */
import type { Objects } from '../../model.ts'
import type { EventText } from '../events.ts'
import {
  type Counts,
  isRollingUpdate,
  newVersionCount,
  oldVersionCounts,
  proportionalCounts,
  replicasOf,
  rolloutLimits,
  sumOf,
  wishedReplicas,
} from './counts.ts'
import {
  deadlineInMs,
  type DeploymentStatus,
  deploymentStatus,
  isComplete,
  progressing,
  type Rollout,
} from './status.ts'
import {
  byCreation,
  countAnnotations,
  type Deployment,
  DESIRED_REPLICAS,
  findNewReplicaSet,
  makeReplicaSet,
  newReplicaSetAnnotations,
  type ReplicaSet,
  revisionOf,
} from './template.ts'

export type DeploymentPlan = {
  readonly create: Objects['replicasets'] | undefined
  readonly update: readonly Objects['replicasets'][]
  readonly remove: readonly ReplicaSet[]
  /** The Deployment's revision annotation as it should be. */
  readonly revision: number
  readonly status: DeploymentStatus
  readonly events: readonly EventText[]
  readonly againInMs: number | undefined
}

export type Situation = {
  readonly deployment: Deployment
  /** Those it controls. */
  readonly replicaSets: readonly ReplicaSet[]
  /** Pods of a ReplicaSet that are not finished; Recreate waits for those of old versions to be gone. */
  readonly unfinishedPods: (replicaSet: ReplicaSet) => number
  readonly now: Date
}

type Progress = Rollout['progress']
type Move = {
  readonly create?: Objects['replicasets']
  readonly counts?: Counts
  readonly remove?: readonly ReplicaSet[]
  readonly progress?: Progress
}

/** Decides one pass. Pure: same situation, same plan. */
export function planDeployment(situation: Situation): DeploymentPlan {
  const { deployment, replicaSets, now } = situation
  const newReplicaSet = findNewReplicaSet(deployment, replicaSets)
  const old = replicaSets.filter((replicaSet) => replicaSet !== newReplicaSet)
  const revision = Math.max(0, ...old.map(revisionOf)) + 1
  const isGoing = deployment.metadata.deletionTimestamp !== undefined
  const move = isGoing ? {} : nextMove(situation, newReplicaSet, old)
  const rollout = {
    deployment,
    all: replicaSets,
    newReplicaSet,
    progress: progressOf(deployment, newReplicaSet, move),
    now,
  }
  const status = deploymentStatus(rollout)
  const againInMs = deadlineInMs(deployment, status, now)
  return {
    create: move.create,
    update: isGoing
      ? []
      : updatesOf(situation, { newReplicaSet, revision, counts: move.counts ?? new Map() }),
    remove: move.remove ?? [],
    revision:
      newReplicaSet || move.create
        ? Math.max(revision, newReplicaSet ? revisionOf(newReplicaSet) : 0)
        : revisionOf(deployment),
    status,
    events: eventsOf(replicaSets, move),
    // A moment later than the deadline itself, so that the pass finds it exceeded.
    againInMs: againInMs === undefined ? undefined : againInMs + 10,
  }
}

function nextMove(
  situation: Situation,
  newReplicaSet: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
): Move {
  const { deployment } = situation
  const all = newReplicaSet ? [newReplicaSet, ...old] : old
  if (deployment.spec?.paused === true || isScaling(deployment, all)) {
    const counts = scaledCounts(deployment, newReplicaSet, old)
    const remove = deployment.spec?.paused === true ? expendable(deployment, old) : []
    return { counts, remove }
  }
  const move = isRollingUpdate(deployment)
    ? rollingMove(deployment, newReplicaSet, old)
    : recreateMove(situation, newReplicaSet, old)
  if (move.create || (move.counts && move.counts.size > 0)) return move
  const status = deployment.status ?? {}
  return isComplete(deployment, status) ? { ...move, remove: expendable(deployment, old) } : move
}

function rollingMove(
  deployment: Deployment,
  newReplicaSet: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
): Move {
  if (!newReplicaSet) {
    const replicas = newVersionCount(deployment, 0, sumOf(old, replicasOf))
    return creation(deployment, old, replicas)
  }
  const present = replicasOf(newReplicaSet)
  const next = newVersionCount(deployment, present, sumOf([newReplicaSet, ...old], replicasOf))
  if (next !== present) return { counts: new Map([[newReplicaSet.metadata.uid, next]]) }
  return { counts: oldVersionCounts(deployment, newReplicaSet, old) }
}

function recreateMove(
  situation: Situation,
  newReplicaSet: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
): Move {
  const { deployment } = situation
  const active = old.filter((replicaSet) => replicasOf(replicaSet) > 0)
  if (active.length > 0) return { counts: new Map(active.map((replicaSet) => [replicaSet.metadata.uid, 0])) }
  if (old.some((replicaSet) => situation.unfinishedPods(replicaSet) > 0)) return {}
  const wished = wishedReplicas(deployment)
  if (!newReplicaSet) return creation(deployment, old, wished)
  return replicasOf(newReplicaSet) === wished
    ? {}
    : { counts: new Map([[newReplicaSet.metadata.uid, wished]]) }
}

function creation(deployment: Deployment, old: readonly ReplicaSet[], replicas: number): Move {
  const create = makeReplicaSet(deployment, {
    replicas,
    maxReplicas: wishedReplicas(deployment) + rolloutLimits(deployment).maxSurge,
    revision: Math.max(0, ...old.map(revisionOf)) + 1,
  })
  const message = `Created new replica set "${create.metadata?.name}"`
  return { create, progress: progressing('True', 'NewReplicaSetCreated', message) }
}

/** The wished number changed since the ReplicaSets were scaled last. */
function isScaling(deployment: Deployment, all: readonly ReplicaSet[]): boolean {
  return all.some((replicaSet) => {
    const desired = replicaSet.metadata.annotations?.[DESIRED_REPLICAS]
    return (
      replicasOf(replicaSet) > 0 && desired !== undefined && Number(desired) !== wishedReplicas(deployment)
    )
  })
}

function scaledCounts(
  deployment: Deployment,
  newReplicaSet: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
): Counts {
  const wished = wishedReplicas(deployment)
  const all = newReplicaSet ? [newReplicaSet, ...old] : old
  const active = all.filter((replicaSet) => replicasOf(replicaSet) > 0)
  if (active.length <= 1) {
    const only = active[0] ?? newReplicaSet ?? byCreation(old).at(-1)
    return only && replicasOf(only) !== wished ? new Map([[only.metadata.uid, wished]]) : new Map()
  }
  if (newReplicaSet && isSaturated(deployment, newReplicaSet))
    return new Map(active.filter((one) => one !== newReplicaSet).map((one) => [one.metadata.uid, 0]))
  return isRollingUpdate(deployment) ? proportionalCounts(deployment, active) : new Map()
}

function isSaturated(deployment: Deployment, replicaSet: ReplicaSet): boolean {
  const wished = wishedReplicas(deployment)
  const desired = Number(replicaSet.metadata.annotations?.[DESIRED_REPLICAS] ?? Number.NaN)
  return (
    replicasOf(replicaSet) === wished && desired === wished && replicaSet.status?.availableReplicas === wished
  )
}

/** Old versions beyond the history limit that nothing uses any more, oldest revision first. */
function expendable(deployment: Deployment, old: readonly ReplicaSet[]): readonly ReplicaSet[] {
  const alive = old.filter((replicaSet) => replicaSet.metadata.deletionTimestamp === undefined)
  const surplus = alive.length - (deployment.spec?.revisionHistoryLimit ?? 10)
  if (surplus <= 0) return []
  return alive
    .toSorted((a, b) => revisionOf(a) - revisionOf(b))
    .slice(0, surplus)
    .filter(
      (replicaSet) =>
        replicasOf(replicaSet) === 0 &&
        (replicaSet.status?.replicas ?? 0) === 0 &&
        (replicaSet.metadata.generation ?? 0) <= (replicaSet.status?.observedGeneration ?? 0),
    )
}

function progressOf(deployment: Deployment, newReplicaSet: ReplicaSet | undefined, move: Move): Progress {
  const known = deployment.status?.conditions?.find((condition) => condition.type === 'Progressing')
  if (deployment.spec?.paused === true) {
    if (known?.reason === 'ProgressDeadlineExceeded') return undefined
    return progressing('Unknown', 'DeploymentPaused', 'Deployment is paused')
  }
  if (move.progress) return move.progress
  if (known?.reason === 'DeploymentPaused')
    return progressing('Unknown', 'DeploymentResumed', 'Deployment is resumed')
  if (!known && newReplicaSet)
    return progressing('True', 'FoundNewReplicaSet', `Found new replica set "${newReplicaSet.metadata.name}"`)
  return undefined
}

/** The ReplicaSets as they should be, those only that differ. */
function updatesOf(
  { deployment, replicaSets }: Situation,
  wanted: {
    readonly newReplicaSet: ReplicaSet | undefined
    readonly revision: number
    readonly counts: Counts
  },
): readonly Objects['replicasets'][] {
  const maxReplicas = wishedReplicas(deployment) + rolloutLimits(deployment).maxSurge
  const updates: Objects['replicasets'][] = []
  for (const replicaSet of replicaSets) {
    const count = wanted.counts.get(replicaSet.metadata.uid)
    const isNew = replicaSet === wanted.newReplicaSet
    const annotations = {
      ...(isNew
        ? newReplicaSetAnnotations(deployment, replicaSet, wanted.revision)
        : replicaSet.metadata.annotations),
      ...(count === undefined && replicasOf(replicaSet) === 0
        ? {}
        : countAnnotations(deployment, maxReplicas)),
    }
    const minReadySeconds = isNew
      ? (deployment.spec?.minReadySeconds ?? 0)
      : (replicaSet.spec?.minReadySeconds ?? 0)
    const replicas = count ?? replicasOf(replicaSet)
    const isSame =
      replicas === replicasOf(replicaSet) &&
      minReadySeconds === (replicaSet.spec?.minReadySeconds ?? 0) &&
      sameTexts(annotations, replicaSet.metadata.annotations ?? {})
    if (isSame || !replicaSet.spec) continue
    updates.push({
      ...replicaSet,
      metadata: { ...replicaSet.metadata, annotations },
      spec: { ...replicaSet.spec, replicas, ...(minReadySeconds > 0 ? { minReadySeconds } : {}) },
    })
  }
  return updates
}

function sameTexts(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}

function eventsOf(replicaSets: readonly ReplicaSet[], move: Move): readonly EventText[] {
  const events: EventText[] = []
  if (move.create && (move.create.spec?.replicas ?? 0) > 0)
    events.push(scalingEvent(move.create.metadata?.name ?? '', 0, move.create.spec?.replicas ?? 0))
  for (const replicaSet of replicaSets) {
    const count = move.counts?.get(replicaSet.metadata.uid)
    if (count !== undefined && count !== replicasOf(replicaSet))
      events.push(scalingEvent(replicaSet.metadata.name, replicasOf(replicaSet), count))
  }
  return events
}

function scalingEvent(name: string, from: number, to: number): EventText {
  const message = `Scaled ${to > from ? 'up' : 'down'} replica set ${name} from ${from} to ${to}`
  return { type: 'Normal', reason: 'ScalingReplicaSet', message }
}
