/** The status of a pod in the words of a real kubelet. Pure: same pod, record and readiness, same status. */
import type { Objects } from '../model.ts'
import {
  containersOf,
  isAlive,
  markerOf,
  type Container,
  type ContainerKind,
  type ContainerRecord,
  type Exit,
  type Periods,
  type Pod,
  type PodRecord,
} from './model.ts'
import { restartDelayMs } from './plan.ts'

type PodStatus = NonNullable<Objects['pods']['status']>
type ContainerStatus = NonNullable<PodStatus['containerStatuses']>[number]
type ContainerState = NonNullable<ContainerStatus['state']>
type Condition = NonNullable<PodStatus['conditions']>[number]

export type StatusInput = {
  readonly pod: Pod
  readonly record: PodRecord
  readonly agentId: string
  readonly ready: ReadonlySet<string>
  readonly started: ReadonlySet<string>
  /** Set when nothing will run any more. */
  readonly finished: boolean
  readonly now: Date
  readonly periods: Periods
}

const OWN_CONDITIONS: ReadonlySet<string> = new Set([
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
])

export function podStatus(input: StatusInput): PodStatus {
  const { pod, record } = input
  const parts = containersOf(pod.spec ?? { containers: [] })
  const statuses = parts.map(({ kind, container }) => ({
    kind,
    status: containerStatus(input, kind, container),
  }))
  const phase = phaseOf(input)
  const init = statuses.filter(({ kind }) => kind !== 'main').map(({ status }) => status)
  const main = statuses.filter(({ kind }) => kind === 'main').map(({ status }) => status)
  const ended = phase === 'Succeeded' || phase === 'Failed'
  return {
    ...(pod.status?.nominatedNodeName === undefined
      ? {}
      : { nominatedNodeName: pod.status.nominatedNodeName }),
    phase,
    ...(record.failed && ended ? { reason: record.failed.reason, message: record.failed.message } : {}),
    conditions: conditionsOf(input, phase),
    hostIP: '127.0.0.1',
    hostIPs: [{ ip: '127.0.0.1' }],
    podIP: record.podIp,
    podIPs: [{ ip: record.podIp }],
    startTime: record.startTime,
    ...(init.length === 0 ? {} : { initContainerStatuses: init }),
    containerStatuses: main,
    qosClass: pod.status?.qosClass ?? qosClassOf(pod),
  }
}

function phaseOf(input: StatusInput): string {
  const { pod, record, finished } = input
  const before = pod.status?.phase
  // A phase never goes back, whatever else is forgotten.
  if (before === 'Succeeded' || before === 'Failed') return before
  const mains = (pod.spec?.containers ?? []).map((container) => record.containers[container.name])
  if (finished) {
    if (record.failed) return 'Failed'
    return mains.every((main) => main?.exit?.exitCode === 0) ? 'Succeeded' : 'Failed'
  }
  const begun = mains.every(
    (main) => main !== undefined && (main.phase === 'running' || main.phase === 'exited' || main.attempt > 0),
  )
  return begun ? 'Running' : 'Pending'
}

function containerStatus(input: StatusInput, kind: ContainerKind, container: Container): ContainerStatus {
  const record = input.record.containers[container.name]
  const image = container.image ?? ''
  if (!record)
    return {
      name: container.name,
      image,
      imageID: '',
      ready: false,
      restartCount: 0,
      started: false,
      state: waitingState('ContainerCreating'),
    }
  const running = isAlive(record)
  const state = stateOf(input, container, record)
  const last =
    state.terminated === undefined || record.phase !== 'exited' ? (record.exit ?? record.last) : record.last
  const id = containerIdOf(input.agentId, input.record.uid, record)
  const done = kind === 'init' && record.phase === 'exited' && record.exit?.exitCode === 0
  return {
    name: container.name,
    state,
    lastState: last === undefined ? {} : { terminated: terminatedOf(last) },
    ready: done || (running && input.ready.has(container.name)),
    restartCount: record.attempt,
    image,
    imageID: record.imageId ?? '',
    ...(record.phase === 'waiting' && record.attempt === 0 ? {} : { containerID: id }),
    started: running && input.started.has(container.name),
  }
}

function containerIdOf(agentId: string, podUid: string, record: ContainerRecord): string {
  return `process://${markerOf(agentId, podUid, record.name, record.attempt)}`
}

function stateOf(input: StatusInput, container: Container, record: ContainerRecord): ContainerState {
  switch (record.phase) {
    case 'running':
      return { running: { startedAt: record.startedAt ?? input.record.startTime } }
    case 'exited':
      return exitedState(input, container, record)
    case 'starting':
    case 'waiting':
      return record.waiting
        ? waitingState(record.waiting.reason, record.waiting.message)
        : waitingState(defaultWaiting(input, container))
    default:
      return waitingState('ContainerCreating')
  }
}

/** An ended container that will run again waits in back-off; the exit then moves to lastState. */
function exitedState(input: StatusInput, container: Container, record: ContainerRecord): ContainerState {
  if (!record.exit) return waitingState('ContainerCreating')
  const terminated: ContainerState = { terminated: terminatedOf(record.exit) }
  const policy = record.kind === 'sidecar' ? 'Always' : (input.pod.spec?.restartPolicy ?? 'Always')
  const failed = record.exit.exitCode !== 0
  const willRun =
    record.kind === 'init'
      ? failed && policy !== 'Never'
      : policy === 'Always' || (policy === 'OnFailure' && failed)
  if (!willRun || input.finished || input.record.failed || input.pod.metadata.deletionTimestamp)
    return terminated
  const delayMs = restartDelayMs(record, input.periods)
  if (delayMs === 0) return terminated
  const { metadata } = input.pod
  const message = `back-off ${Math.round(delayMs / 1_000)}s restarting failed container=${container.name} pod=${metadata.name}_${metadata.namespace}(${metadata.uid})`
  return waitingState('CrashLoopBackOff', message)
}

function defaultWaiting(input: StatusInput, container: Container): string {
  const isMain = input.pod.spec?.containers.some(({ name }) => name === container.name) ?? false
  return isMain && !isInitialized(input) ? 'PodInitializing' : 'ContainerCreating'
}

function waitingState(reason: string, message?: string): ContainerState {
  return { waiting: { reason, ...(message === undefined ? {} : { message }) } }
}

function terminatedOf(exit: Exit): NonNullable<ContainerState['terminated']> {
  const seconds = (text: string): string => text.replace(/\.[0-9]+Z$/, 'Z')
  return {
    exitCode: exit.exitCode,
    ...(exit.exitCode > 128 && exit.exitCode < 160 && exit.reason === 'Error'
      ? { signal: exit.exitCode - 128 }
      : {}),
    reason: exit.reason,
    ...(exit.message === undefined ? {} : { message: exit.message }),
    startedAt: seconds(exit.startedAt),
    finishedAt: seconds(exit.finishedAt),
    containerID: exit.containerId,
  }
}

function isInitialized(input: StatusInput): boolean {
  const mains = input.pod.spec?.containers ?? []
  if (mains.some(({ name }) => (input.record.containers[name]?.phase ?? 'waiting') !== 'waiting')) return true
  return containersOf(input.pod.spec ?? { containers: [] }).every(({ kind, container }) => {
    const record = input.record.containers[container.name]
    if (kind === 'main') return true
    if (kind === 'sidecar') return input.started.has(container.name)
    return record?.phase === 'exited' && record.exit?.exitCode === 0
  })
}

function conditionsOf(input: StatusInput, phase: string): readonly Condition[] {
  const { pod, record } = input
  const ended = phase === 'Succeeded' || phase === 'Failed'
  const running = (name: string): boolean => {
    const container = record.containers[name]
    return container !== undefined && isAlive(container) && input.ready.has(name)
  }
  const unready = [
    ...(pod.spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always'),
    ...(pod.spec?.containers ?? []),
  ]
    .map(({ name }) => name)
    .filter((name) => !running(name))
  const containersReady = !ended && unready.length === 0
  const gate = pod.spec?.readinessGates?.find(
    ({ conditionType }) =>
      pod.status?.conditions?.find(({ type }) => type === conditionType)?.status !== 'True',
  )
  const initialized = isInitialized(input) || phase === 'Succeeded'
  const alive = Object.values(record.containers).some(isAlive)
  const why = ended
    ? { reason: phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed' }
    : { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` }
  const pendingInit = (pod.spec?.initContainers ?? [])
    .map(({ name }) => name)
    .filter((name) => record.containers[name]?.exit?.exitCode !== 0 && !input.started.has(name))
  const made: readonly Condition[] = [
    condition(input, 'PodReadyToStartContainers', !ended || alive, {}),
    condition(input, 'Initialized', initialized, {
      reason: 'ContainersNotInitialized',
      message: `containers with incomplete status: [${pendingInit.join(' ')}]`,
    }),
    condition(
      input,
      'Ready',
      containersReady && !gate,
      gate && containersReady
        ? {
            reason: 'ReadinessGatesNotReady',
            message: `the status of pod readiness gate "${gate.conditionType}" is not "True", but False`,
          }
        : why,
    ),
    condition(input, 'ContainersReady', containersReady, why),
    condition(input, 'PodScheduled', true, {}),
  ]
  const foreign = (pod.status?.conditions ?? []).filter(({ type }) => !OWN_CONDITIONS.has(type))
  return [...made, ...foreign]
}

/** Keeps the time of the last transition while the status stays. */
function condition(
  input: StatusInput,
  type: string,
  holds: boolean,
  otherwise: { readonly reason?: string; readonly message?: string },
): Condition {
  const status = holds ? 'True' : 'False'
  const before = input.pod.status?.conditions?.find((known) => known.type === type)
  const since = before?.status === status ? before.lastTransitionTime : undefined
  return {
    type,
    status,
    lastTransitionTime: since ?? input.now.toISOString().replace(/\.[0-9]+Z$/, 'Z'),
    ...(holds ? {} : otherwise),
  }
}

/** Guaranteed: every container's limits are set for CPU and memory and equal its requests; BestEffort: nothing is set. */
export function qosClassOf(pod: Pod): string {
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]
  const names = ['cpu', 'memory'] as const
  const values = containers.flatMap(({ resources }) =>
    names.map((name) => ({ limit: resources?.limits?.[name], request: resources?.requests?.[name] })),
  )
  if (values.every(({ limit, request }) => limit === undefined && request === undefined)) return 'BestEffort'
  const guaranteed = values.every(({ limit, request }) => limit !== undefined && (request ?? limit) === limit)
  return guaranteed ? 'Guaranteed' : 'Burstable'
}
