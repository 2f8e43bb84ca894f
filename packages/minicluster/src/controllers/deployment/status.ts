import { timeText } from '../conditions.ts'
import { maxUnavailableNow, replicasOf, sumOf, wishedReplicas } from './counts.ts'
import type { Deployment, ReplicaSet } from './template.ts'

export type DeploymentStatus = NonNullable<Deployment['status']>
export type Condition = NonNullable<DeploymentStatus['conditions']>[number]
type NewCondition = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>

/** `progressDeadlineSeconds` of this value means "never", as the API's default for other clients does. */
const NO_DEADLINE_SECONDS = 2_147_483_647

export type Rollout = {
  readonly deployment: Deployment
  readonly all: readonly ReplicaSet[]
  readonly newReplicaSet: ReplicaSet | undefined
  /** What the pass itself has to say about progress (created, found, paused, failed), before the counts are looked at. */
  readonly progress: NewCondition | undefined
  readonly now: Date
}

/** The status of the Deployment, with the reasons of the real controller. */
export function deploymentStatus(rollout: Rollout): DeploymentStatus {
  const { deployment, now } = rollout
  const counted = countedStatus(rollout)
  let conditions = deployment.status?.conditions ?? []
  if (rollout.progress) conditions = setCondition(conditions, rollout.progress, now)
  conditions = setCondition(conditions, availability(deployment, counted), now)
  if (deadlineSeconds(deployment) === undefined) conditions = without(conditions, 'Progressing')
  else if (deployment.spec?.paused !== true && deployment.metadata.deletionTimestamp === undefined) {
    const progress = progressCondition(rollout, counted, conditions)
    if (progress) conditions = setProgress(conditions, progress, now)
  }
  conditions = replicaFailure(rollout, conditions)
  return { ...counted, conditions }
}

function countedStatus({ deployment, all, newReplicaSet }: Rollout): DeploymentStatus {
  const total = sumOf(all, replicasOf)
  const available = sumOf(all, (replicaSet) => replicaSet.status?.availableReplicas)
  const counts = {
    replicas: sumOf(all, (replicaSet) => replicaSet.status?.replicas),
    updatedReplicas: newReplicaSet?.status?.replicas ?? 0,
    readyReplicas: sumOf(all, (replicaSet) => replicaSet.status?.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, total - available),
  }
  const { collisionCount } = deployment.status ?? {}
  return {
    observedGeneration: deployment.metadata.generation ?? 1,
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
    terminatingReplicas: sumOf(all, (replicaSet) => replicaSet.status?.terminatingReplicas),
    ...(collisionCount === undefined ? {} : { collisionCount }),
  }
}

function availability(deployment: Deployment, counted: DeploymentStatus): NewCondition {
  const enough =
    (counted.availableReplicas ?? 0) >= wishedReplicas(deployment) - maxUnavailableNow(deployment)
  return enough
    ? {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      }
}

/** All wished pods run the new version, are available, and nothing old is left. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const wished = wishedReplicas(deployment)
  return (
    (status.updatedReplicas ?? 0) === wished &&
    (status.replicas ?? 0) === wished &&
    (status.availableReplicas ?? 0) === wished &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 1)
  )
}

function progressCondition(
  rollout: Rollout,
  counted: DeploymentStatus,
  conditions: readonly Condition[],
): NewCondition | undefined {
  const { deployment, newReplicaSet, now } = rollout
  const known = conditions.find((condition) => condition.type === 'Progressing')
  const isSettled =
    (counted.replicas ?? 0) === (counted.updatedReplicas ?? 0) && known?.reason === 'NewReplicaSetAvailable'
  if (isSettled) return undefined
  const who = newReplicaSet
    ? `ReplicaSet "${newReplicaSet.metadata.name}"`
    : `Deployment "${deployment.metadata.name}"`
  if (isComplete(deployment, counted))
    return progressing('True', 'NewReplicaSetAvailable', `${who} has successfully progressed.`)
  if (hasMoved(deployment.status ?? {}, counted))
    return progressing('True', 'ReplicaSetUpdated', `${who} is progressing.`)
  if (known && isTimedOut(deployment, known, now))
    return progressing('False', 'ProgressDeadlineExceeded', `${who} has timed out progressing.`)
  return undefined
}

export function progressing(status: string, reason: string, message: string): NewCondition {
  return { type: 'Progressing', status, reason, message }
}

function hasMoved(before: DeploymentStatus, now: DeploymentStatus): boolean {
  const oldPods = (status: DeploymentStatus) => (status.replicas ?? 0) - (status.updatedReplicas ?? 0)
  return (
    (now.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    oldPods(now) < oldPods(before) ||
    (now.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (now.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  )
}

function isTimedOut(deployment: Deployment, known: Condition, now: Date): boolean {
  if (known.reason === 'ProgressDeadlineExceeded') return true
  if (known.reason === 'NewReplicaSetAvailable') return false
  return deadlineMs(deployment, known) <= now.getTime()
}

function deadlineMs(deployment: Deployment, progress: Condition): number {
  const sinceMs = Date.parse(progress.lastUpdateTime ?? progress.lastTransitionTime ?? '')
  return sinceMs + (deadlineSeconds(deployment) ?? 0) * 1000
}

function deadlineSeconds(deployment: Deployment): number | undefined {
  const seconds = deployment.spec?.progressDeadlineSeconds
  return seconds === undefined || seconds === NO_DEADLINE_SECONDS ? undefined : seconds
}

/** Milliseconds until the rollout would time out; undefined when nothing is due. */
export function deadlineInMs(
  deployment: Deployment,
  status: DeploymentStatus,
  now: Date,
): number | undefined {
  if (deadlineSeconds(deployment) === undefined || deployment.spec?.paused === true) return undefined
  const known = status.conditions?.find((condition) => condition.type === 'Progressing')
  if (!known || known.reason === 'NewReplicaSetAvailable' || known.reason === 'ProgressDeadlineExceeded')
    return undefined
  return Math.max(0, deadlineMs(deployment, known) - now.getTime())
}

/** Sets a condition; one with the same status and reason stays as it is. */
function setCondition(conditions: readonly Condition[], next: NewCondition, now: Date): readonly Condition[] {
  const known = conditions.find((condition) => condition.type === next.type)
  if (known?.status === next.status && known.reason === next.reason) return conditions
  const at = timeText(now)
  const lastTransitionTime = known?.status === next.status ? (known.lastTransitionTime ?? at) : at
  return [...without(conditions, next.type), { ...next, lastUpdateTime: at, lastTransitionTime }]
}

/** As `setCondition`, but every sign of progress moves `lastUpdateTime`, from which the deadline counts. */
function setProgress(conditions: readonly Condition[], next: NewCondition, now: Date): readonly Condition[] {
  const known = conditions.find((condition) => condition.type === next.type)
  if (next.status !== 'True' || known?.status !== 'True') return setCondition(conditions, next, now)
  const at = timeText(now)
  const condition = { ...next, lastUpdateTime: at, lastTransitionTime: known.lastTransitionTime ?? at }
  return [...without(conditions, next.type), condition]
}

function without(conditions: readonly Condition[], type: string): readonly Condition[] {
  return conditions.filter((condition) => condition.type !== type)
}

function replicaFailure(rollout: Rollout, conditions: readonly Condition[]): readonly Condition[] {
  const failures = [rollout.newReplicaSet, ...rollout.all].flatMap((replicaSet) =>
    (replicaSet?.status?.conditions ?? []).filter((condition) => condition.type === 'ReplicaFailure'),
  )
  const [failure] = failures
  if (!failure) return without(conditions, 'ReplicaFailure')
  const next = {
    type: 'ReplicaFailure',
    status: failure.status,
    ...(failure.reason === undefined ? {} : { reason: failure.reason }),
    ...(failure.message === undefined ? {} : { message: failure.message }),
  }
  return setCondition(conditions, next, rollout.now)
}
