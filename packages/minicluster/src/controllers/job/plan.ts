/*
 * What a Job does next. Finished pods are counted exactly once: every pod carries a finalizer until it stands in the Job's
 * status, first by uid (uncountedTerminatedPods), then, once the finalizer is off, in the counters. Whatever is killed in
 * between, the next pass finds each pod either in the list or in the counters, never in both. A Job that has a terminal
 * condition is never run again. Reasons, texts and the order of conditions are those of the real controller.
 */
import type { Stored } from '../../model.ts'
import { timeText } from '../conditions.ts'
import { isActive, isFinished, isReady, type Pod } from '../pods.ts'
import { judgeFailure } from './failure-policy.ts'
import { completedIndexes, indexOf, indexText, isIndexed, missingIndexes } from './indexes.ts'

export type Job = Stored<'jobs'>
export type JobStatus = NonNullable<Job['status']>
type Condition = NonNullable<JobStatus['conditions']>[number]

export const TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking'
const BACK_OFF_FIRST_MS = 10_000
const BACK_OFF_MAX_MS = 600_000
const CREATE_MAX = 500
const UNCOUNTED_MAX = 500

export type JobPlan = {
  /** Pods to make; for an Indexed Job the index of each. */
  readonly create: readonly { readonly index: number | undefined }[]
  readonly remove: readonly Pod[]
  /** Pods that stand in the status and may lose their finalizer once it is written. */
  readonly untrack: readonly Pod[]
  readonly status: JobStatus
  readonly finished:
    | { readonly type: 'Complete' | 'Failed'; readonly reason: string; readonly message: string }
    | undefined
  readonly againInMs: number | undefined
}

type Verdict = { readonly type: 'Complete' | 'Failed'; readonly reason: string; readonly message: string }

export function finishedCondition(job: Job): Condition | undefined {
  return job.status?.conditions?.find(
    (condition) =>
      (condition.type === 'Complete' || condition.type === 'Failed') && condition.status === 'True',
  )
}

/** Decides one pass over a Job and its pods. Pure: same Job, pods and time, same plan. */
export function planJob(job: Job, pods: readonly Pod[], now: Date): JobPlan {
  const counting = countFinished(job, pods)
  if (finishedCondition(job)) {
    const rest = pods.filter((pod) => isTracked(pod))
    return {
      create: [],
      remove: [],
      untrack: rest,
      status: job.status ?? {},
      finished: undefined,
      againInMs: undefined,
    }
  }
  const active = pods.filter(isActive)
  const terminating = pods.filter((pod) => pod.metadata.deletionTimestamp !== undefined && !isFinished(pod))
  const verdict = verdictOf(job, { ...counting, active }, now)
  const isSuspended = job.spec?.suspend === true
  const startTime = isSuspended ? undefined : (job.status?.startTime ?? timeText(now))

  const stop = verdict !== undefined || isSuspended
  const moves = stop ? { create: [], remove: active, waitMs: undefined } : podMoves(job, pods, counting, now)
  // The terminal condition waits until every pod has really ended; until then the verdict stands as an interim condition.
  const isOver =
    verdict !== undefined &&
    active.length === 0 &&
    terminating.length === 0 &&
    counting.uncounted.length === 0
  const conditions = conditionsOf(job, { verdict, isOver, isSuspended }, now)
  const status: JobStatus = {
    ...(startTime === undefined ? {} : { startTime }),
    ...(isOver && verdict.type === 'Complete' ? { completionTime: timeText(now) } : {}),
    ...(conditions.length > 0 ? { conditions } : {}),
    ...(active.length > 0 ? { active: active.length } : {}),
    ready: active.filter(isReady).length,
    terminating: terminating.length,
    ...(counting.succeeded > 0 ? { succeeded: counting.succeeded } : {}),
    ...(counting.failed > 0 ? { failed: counting.failed } : {}),
    ...(isIndexed(job) ? { completedIndexes: indexText(counting.indexes) } : {}),
    uncountedTerminatedPods: {
      ...uidList('succeeded', counting.uncounted),
      ...uidList('failed', counting.uncounted),
    },
  }
  const deadlines = [moves.waitMs, deadlineInMs(job, now)].filter((ms) => ms !== undefined)
  return {
    create: moves.create,
    remove: moves.remove,
    untrack: [...counting.uncounted.flatMap(({ pod }) => pod ?? []), ...counting.ignored],
    status,
    finished: isOver ? verdict : undefined,
    againInMs: deadlines.length > 0 ? Math.min(...deadlines) : undefined,
  }
}

type Uncounted = {
  readonly uid: string
  readonly outcome: 'succeeded' | 'failed'
  readonly pod: Pod | undefined
}
type Counting = {
  readonly succeeded: number
  readonly failed: number
  /** In the list of the status: their pods may still carry the finalizer. */
  readonly uncounted: readonly Uncounted[]
  /** All outcomes known now, counted or not. */
  readonly allSucceeded: number
  readonly allFailed: number
  readonly indexes: ReadonlySet<number>
  /** Failed pods that the podFailurePolicy overlooks. */
  readonly ignored: readonly Pod[]
  /** Why the podFailurePolicy ends the Job. */
  readonly policyMessage: string | undefined
}

function isTracked(pod: Pod): boolean {
  return pod.metadata.finalizers?.includes(TRACKING_FINALIZER) === true
}

function outcomeOf(pod: Pod): 'succeeded' | 'failed' | undefined {
  if (pod.status?.phase === 'Succeeded') return 'succeeded'
  if (pod.status?.phase === 'Failed') return 'failed'
  // Deleted by somebody before it ended: once nothing runs it any more it counts as failed.
  return pod.metadata.deletionTimestamp !== undefined && pod.spec?.nodeName === undefined
    ? 'failed'
    : undefined
}

function countFinished(job: Job, pods: readonly Pod[]): Counting {
  const byUid = new Map(pods.map((pod) => [pod.metadata.uid, pod]))
  const listed = job.status?.uncountedTerminatedPods
  const uncounted: Uncounted[] = []
  const seen = new Set<string>()
  let succeeded = job.status?.succeeded ?? 0
  let failed = job.status?.failed ?? 0
  for (const outcome of ['succeeded', 'failed'] as const) {
    for (const uid of listed?.[outcome] ?? []) {
      const pod = byUid.get(uid)
      seen.add(uid)
      if (pod && isTracked(pod)) uncounted.push({ uid, outcome, pod })
      else if (outcome === 'succeeded') succeeded += 1
      else failed += 1
    }
  }
  const indexes = new Set(completedIndexes(job))
  const ignored: Pod[] = []
  let policyMessage: string | undefined
  for (const pod of pods) {
    const outcome = outcomeOf(pod)
    if (!outcome || !isTracked(pod)) continue
    const judgement = outcome === 'failed' ? judgeFailure(job, pod) : undefined
    if (judgement?.kind === 'fail-job') policyMessage ??= judgement.message
    if (judgement?.kind === 'ignore') {
      ignored.push(pod)
      continue
    }
    if (!seen.has(pod.metadata.uid)) {
      if (uncounted.length >= UNCOUNTED_MAX) continue
      // A second success of an index that is complete already is not counted again.
      const index = indexOf(pod)
      const isRepeat =
        outcome === 'succeeded' && isIndexed(job) && (index === undefined || indexes.has(index))
      uncounted.push({ uid: pod.metadata.uid, outcome: isRepeat ? 'failed' : outcome, pod })
    }
    const index = indexOf(pod)
    if (outcome === 'succeeded' && index !== undefined) indexes.add(index)
  }
  const listedNow = (outcome: string): number => uncounted.filter((one) => one.outcome === outcome).length
  return {
    succeeded,
    failed,
    uncounted,
    allSucceeded: isIndexed(job) ? indexes.size : succeeded + listedNow('succeeded'),
    allFailed: failed + listedNow('failed'),
    indexes,
    ignored,
    policyMessage,
  }
}

function uidList(
  outcome: 'succeeded' | 'failed',
  uncounted: readonly Uncounted[],
): Record<string, readonly string[]> {
  const uids = uncounted.filter((one) => one.outcome === outcome).map((one) => one.uid)
  return uids.length > 0 ? { [outcome]: uids } : {}
}

function verdictOf(
  job: Job,
  counting: Counting & { readonly active: readonly Pod[] },
  now: Date,
): Verdict | undefined {
  const interim = job.status?.conditions?.find(
    (condition) =>
      (condition.type === 'FailureTarget' || condition.type === 'SuccessCriteriaMet') &&
      condition.status === 'True',
  )
  if (interim)
    return {
      type: interim.type === 'FailureTarget' ? 'Failed' : 'Complete',
      reason: interim.reason ?? '',
      message: interim.message ?? '',
    }
  if (counting.policyMessage !== undefined)
    return { type: 'Failed', reason: 'PodFailurePolicy', message: counting.policyMessage }
  if (isComplete(job, counting))
    return {
      type: 'Complete',
      reason: 'CompletionsReached',
      message: 'Reached expected number of succeeded pods',
    }
  if (counting.allFailed > backOffLimit(job) || restartsBeyondLimit(job, counting.active))
    return {
      type: 'Failed',
      reason: 'BackoffLimitExceeded',
      message: 'Job has reached the specified backoff limit',
    }
  const leftMs = deadlineInMs(job, now)
  if (leftMs !== undefined && leftMs <= 0)
    return {
      type: 'Failed',
      reason: 'DeadlineExceeded',
      message: 'Job was active longer than specified deadline',
    }
  return undefined
}

function backOffLimit(job: Job): number {
  return job.spec?.backoffLimit ?? 6
}

/** With restartPolicy OnFailure a pod fails inside itself; its restarts count towards the limit. */
function restartsBeyondLimit(job: Job, active: readonly Pod[]): boolean {
  if (job.spec?.template.spec?.restartPolicy !== 'OnFailure') return false
  const restarts = active
    .flatMap((pod) => [
      ...(pod.status?.initContainerStatuses ?? []),
      ...(pod.status?.containerStatuses ?? []),
    ])
    .reduce((sum, status) => sum + status.restartCount, 0)
  const limit = backOffLimit(job)
  return limit === 0 ? restarts > 0 : restarts >= limit
}

function isComplete(job: Job, counting: Counting & { readonly active: readonly Pod[] }): boolean {
  const completions = job.spec?.completions
  if (completions !== undefined) return counting.allSucceeded >= completions
  // Without a number, one success means that the work is done; the others may end by themselves.
  return counting.allSucceeded > 0 && counting.active.length === 0
}

function deadlineInMs(job: Job, now: Date): number | undefined {
  const seconds = job.spec?.activeDeadlineSeconds
  const start = job.status?.startTime
  if (seconds === undefined || start === undefined || job.spec?.suspend === true) return undefined
  return Date.parse(start) + seconds * 1000 - now.getTime()
}

type Moves = Pick<JobPlan, 'create' | 'remove'> & { readonly waitMs: number | undefined }

function podMoves(job: Job, pods: readonly Pod[], counting: Counting, now: Date): Moves {
  const active = pods.filter(isActive)
  const wanted = wantedActive(job, counting, active.length)
  if (active.length > wanted)
    return { create: [], remove: active.slice(0, active.length - wanted), waitMs: undefined }
  if (active.length === wanted) return { create: [], remove: [], waitMs: undefined }
  const waitMs = backOffInMs(job, pods, counting, now)
  if (waitMs > 0) return { create: [], remove: [], waitMs }
  const count = Math.min(wanted - active.length, CREATE_MAX)
  const create = isIndexed(job)
    ? missingIndexes(job, counting.indexes, active)
        .slice(0, count)
        .map((index) => ({ index }))
    : Array.from({ length: count }, () => ({ index: undefined }))
  return { create, remove: [], waitMs: undefined }
}

function wantedActive(job: Job, counting: Counting, activeCount: number): number {
  const parallelism = job.spec?.parallelism ?? 1
  const completions = job.spec?.completions
  if (completions === undefined) return counting.allSucceeded > 0 ? activeCount : parallelism
  return Math.min(parallelism, Math.max(0, completions - counting.allSucceeded))
}

/** Each failure since the last success doubles the wait before the next pod: 10 s, 20 s, … 10 min after the latest end. */
function backOffInMs(job: Job, pods: readonly Pod[], counting: Counting, now: Date): number {
  const lastSuccessMs = Math.max(0, ...pods.filter((pod) => pod.status?.phase === 'Succeeded').map(endMs))
  const ends = pods
    .filter((pod) => pod.status?.phase === 'Failed')
    .map(endMs)
    .filter((ms) => ms > lastSuccessMs)
  if (ends.length === 0 || counting.allFailed === 0) return 0
  const delayMs = Math.min(BACK_OFF_FIRST_MS * 2 ** Math.min(ends.length - 1, 20), BACK_OFF_MAX_MS)
  return Math.max(0, Math.max(...ends) + delayMs - now.getTime())
}

function endMs(pod: Pod): number {
  const ends = (pod.status?.containerStatuses ?? []).map((status) =>
    Date.parse(status.state?.terminated?.finishedAt ?? ''),
  )
  const known = ends.filter((ms) => !Number.isNaN(ms))
  return known.length > 0
    ? Math.max(...known)
    : Date.parse(pod.metadata.deletionTimestamp ?? pod.metadata.creationTimestamp)
}

type Outcome = {
  readonly verdict: Verdict | undefined
  readonly isOver: boolean
  readonly isSuspended: boolean
}

function conditionsOf(job: Job, { verdict, isOver, isSuspended }: Outcome, now: Date): readonly Condition[] {
  let conditions = job.status?.conditions ?? []
  const at = timeText(now)
  const set = (type: string, status: string, reason: string, message: string): void => {
    const known = conditions.find((condition) => condition.type === type)
    if (known?.status === status && known.reason === reason) return
    const next = { type, status, reason, message, lastProbeTime: at, lastTransitionTime: at }
    conditions = [...conditions.filter((condition) => condition.type !== type), next]
  }
  const wasSuspended = conditions.some(
    (condition) => condition.type === 'Suspended' && condition.status === 'True',
  )
  if (isSuspended) set('Suspended', 'True', 'JobSuspended', 'Job suspended')
  else if (wasSuspended) set('Suspended', 'False', 'JobResumed', 'Job resumed')
  if (!verdict) return conditions
  const interim = verdict.type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget'
  set(interim, 'True', verdict.reason, verdict.message)
  if (isOver) set(verdict.type, 'True', verdict.reason, verdict.message)
  return conditions
}
