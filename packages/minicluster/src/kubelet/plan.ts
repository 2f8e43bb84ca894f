/*
 * What a pod needs next. Level-triggered: from the specification, the record of its containers and what probes say, without
 * memory of earlier decisions. Init containers run one after another, sidecars among them only have to be started; then all main
 * containers run together. A container that ended runs again if the policy says so, after a pause that doubles from 10 s to
 * 5 min and starts over when it ran for 10 min (the first restart waits for nothing, as on every kubelet). Sidecars outlive the
 * main containers and end in reverse order. A pod that ends keeps nothing alive.
 */
import {
  containersOf,
  isAlive,
  newContainerRecord,
  SHUTDOWN_REASON,
  without,
  type ContainerKind,
  type ContainerRecord,
  type Periods,
  type PodRecord,
  type PodSpec,
} from './model.ts'

export type PodStep =
  | { readonly kind: 'start'; readonly container: string }
  | { readonly kind: 'stop'; readonly container: string }
  /** Everything has ended and nothing will start again. */
  | { readonly kind: 'finished'; readonly succeeded: boolean }
  | { readonly kind: 'fail'; readonly reason: string; readonly message: string }
  | { readonly kind: 'wake'; readonly atMs: number }

export type PlanInput = {
  readonly spec: PodSpec
  readonly record: PodRecord
  /** Deleted, or gone from the cluster. */
  readonly ending: boolean
  readonly startedContainers: ReadonlySet<string>
  readonly nowMs: number
  readonly periods: Periods
}

export function planPod(input: PlanInput): readonly PodStep[] {
  const { spec, record, nowMs } = input
  if (input.ending || record.failed) return planEnd(input)
  const deadlineMs = deadlineOf(spec, record)
  if (deadlineMs !== undefined && nowMs >= deadlineMs)
    return [
      {
        kind: 'fail',
        reason: 'DeadlineExceeded',
        message: 'Pod was active on the node longer than the specified deadline',
      },
    ]
  const steps = planRun(input)
  return deadlineMs === undefined ? steps : [...steps, { kind: 'wake', atMs: deadlineMs }]
}

function deadlineOf(spec: PodSpec, record: PodRecord): number | undefined {
  const seconds = spec.activeDeadlineSeconds
  return seconds === undefined ? undefined : Date.parse(record.startTime) + seconds * 1_000
}

function planEnd(input: PlanInput): readonly PodStep[] {
  const all = partsOf(input)
  const alive = all.filter((part) => isAlive(part.record))
  const mains = alive.filter((part) => part.kind !== 'sidecar')
  if (mains.length > 0) return mains.map((part) => ({ kind: 'stop', container: part.record.name }))
  const lastSidecar = alive.at(-1)
  if (lastSidecar) return [{ kind: 'stop', container: lastSidecar.record.name }]
  return [{ kind: 'finished', succeeded: false }]
}

type Part = { readonly kind: ContainerKind; readonly record: ContainerRecord }

function partsOf(input: PlanInput): readonly Part[] {
  return containersOf(input.spec).flatMap(({ kind, container }) => {
    const record = input.record.containers[container.name]
    return record ? [{ kind, record }] : []
  })
}

function planRun(input: PlanInput): readonly PodStep[] {
  const parts = partsOf(input)
  const first = parts.filter((part) => part.kind !== 'main')
  const mains = parts.filter((part) => part.kind === 'main')
  const policy = input.spec.restartPolicy ?? 'Always'
  const steps: PodStep[] = []

  const begun = mains.some(
    (part) => part.record.phase !== 'waiting' || part.record.attempt > 0 || part.record.setupFailures > 0,
  )
  if (!begun) {
    for (const part of first) {
      const { record, kind } = part
      if (kind === 'init' && record.exit?.exitCode === 0 && record.phase === 'exited') continue
      if (kind === 'init' && record.phase === 'exited' && policy === 'Never') return finishEarly(first)
      if (!isAlive(record)) return [...steps, ...startStep(input, record)]
      // A sidecar only has to be started; an init container has to be done.
      if (kind === 'init' || !input.startedContainers.has(record.name)) return steps
    }
  }

  const goingOn = mains.filter(({ record }) => isAlive(record) || willRun(record, policy))
  if (goingOn.length === 0) {
    const sidecar = first.filter((part) => isAlive(part.record)).at(-1)
    if (sidecar) return [...steps, { kind: 'stop', container: sidecar.record.name }]
    return [
      ...steps,
      { kind: 'finished', succeeded: mains.every(({ record }) => record.exit?.exitCode === 0) },
    ]
  }
  const sidecars = first.filter((part) => part.kind === 'sidecar')
  for (const { record } of [...sidecars, ...goingOn])
    if (!isAlive(record)) steps.push(...startStep(input, record))
  return steps
}

/** A failed init container under policy Never ends the pod; sidecars that run already end first. */
function finishEarly(first: readonly Part[]): readonly PodStep[] {
  const sidecar = first.filter((part) => isAlive(part.record)).at(-1)
  if (sidecar) return [{ kind: 'stop', container: sidecar.record.name }]
  return [{ kind: 'finished', succeeded: false }]
}

function willRun(record: ContainerRecord, policy: string): boolean {
  if (record.phase !== 'exited') return true
  return policy === 'Always' || (policy === 'OnFailure' && record.exit?.exitCode !== 0)
}

function startStep(input: PlanInput, record: ContainerRecord): readonly PodStep[] {
  const atMs = Math.max(restartAtMs(record, input.periods), Date.parse(record.setupNotBefore ?? '') || 0)
  if (atMs > input.nowMs) return [{ kind: 'wake', atMs }]
  return [{ kind: 'start', container: record.name }]
}

/** When a container may run again; 0 = now. */
function restartAtMs(record: ContainerRecord, periods: Periods): number {
  if (record.phase !== 'exited' || !record.exit) return 0
  const delayMs = restartDelayMs(record, periods)
  return delayMs === 0 ? 0 : Date.parse(record.exit.finishedAt) + delayMs
}

/** The pause before the next restart: 0 for the first, then doubling; a long run starts over. */
export function restartDelayMs(record: ContainerRecord, periods: Periods): number {
  if (record.backoffLevel === 0 || record.ended?.reason === SHUTDOWN_REASON || ranLong(record, periods))
    return 0
  return Math.min(periods.restartFirstMs * 2 ** Math.min(record.backoffLevel - 1, 20), periods.restartMaxMs)
}

/** The level for the attempt after this one. */
export function nextBackoffLevel(record: ContainerRecord, periods: Periods): number {
  return ranLong(record, periods) ? 1 : Math.min(record.backoffLevel + 1, 30)
}

function ranLong(record: ContainerRecord, periods: Periods): boolean {
  if (!record.exit) return false
  return Date.parse(record.exit.finishedAt) - Date.parse(record.exit.startedAt) >= periods.restartResetMs
}

export function hasBackoff(state: ContainerRecord): boolean {
  return state.backoffLevel > 0 || state.setupFailures > 0
}

/** A kubelet's back-off belongs to its own life: after a new start, as after a power loss, everything may be tried at once. */
export function withoutBackoff(before: PodRecord): PodRecord {
  const containers = Object.entries(before.containers).map(([name, state]): [string, ContainerRecord] => [
    name,
    { ...without(state, 'setupNotBefore'), backoffLevel: 0, setupFailures: 0 },
  ])
  return { ...before, containers: Object.fromEntries(containers) }
}

/** The record of the run after this one. */
export function nextAttempt(before: ContainerRecord, periods: Periods): ContainerRecord {
  const wasShutDown = before.ended?.reason === SHUTDOWN_REASON
  return {
    ...newContainerRecord(before.name, before.kind),
    attempt: before.attempt + 1,
    port: before.port,
    backoffLevel: wasShutDown ? before.backoffLevel : nextBackoffLevel(before, periods),
    ...(before.imageId === undefined ? {} : { imageId: before.imageId }),
    ...(before.exit ? { last: before.exit } : {}),
  }
}
