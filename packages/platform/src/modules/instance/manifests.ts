/* Pods → Instances: what a Cluster reports, as state and reason. The cause goes before the symptom. */
import { parseQuantity, shorten } from '@slipway/kit'
import type { Live } from '@slipway/kube'

import type { InstanceState } from '@slipway/contract'

import { PROCESS_LABEL, VERSION_LABEL, WORKLOAD_LABEL } from '../fleet/index.ts'
import type { Instance, Use, Why } from './model.ts'

type Pod = Live<'pods'>
type Status = NonNullable<Pod['status']>
type ContainerStatus = NonNullable<Status['containerStatuses']>[number]
type Terminated = NonNullable<NonNullable<ContainerStatus['state']>['terminated']>

const PORTS_ANNOTATION = 'slipway/ports'
const TEXT_MAX = 300

/** Signals that end containers, by number; others keep their number. */
const SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  15: 'SIGTERM',
}
const IMAGE_REASONS: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'RegistryUnavailable',
])
const ON_THE_WAY: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing'])

export function instanceOf(pod: Pod): Instance {
  const labels = pod.metadata.labels ?? {}
  const containers = pod.spec?.containers ?? []
  const process = labels[PROCESS_LABEL] ?? containers[0]?.name ?? ''
  const main = containers.find(({ name }) => name === process) ?? containers[0]
  const status = statusOf(pod, main?.name)
  const requests = main?.resources?.requests
  return {
    workloadId: labels[WORKLOAD_LABEL] ?? '',
    name: pod.metadata.name,
    process,
    version: labels[VERSION_LABEL] ?? '',
    ...stateOf(pod, status),
    ready: isReady(pod),
    restarts: status?.restartCount ?? 0,
    node: pod.spec?.nodeName ?? null,
    address: pod.status?.podIP ?? null,
    ports: portsOf(pod),
    containers: containers.map(({ name }) => name),
    resources: {
      cpuCores: quantity(requests?.['cpu']),
      memoryBytes: quantity(requests?.['memory']),
      memoryLimitBytes: quantity(main?.resources?.limits?.['memory']),
    },
    createdAt: new Date(pod.metadata.creationTimestamp ?? 0),
  }
}

function statusOf(pod: Pod, container: string | undefined): ContainerStatus | undefined {
  return pod.status?.containerStatuses?.find(({ name }) => name === container)
}

function quantity(text: string | undefined): number | null {
  return text === undefined ? null : parseQuantity(text)
}

type State = { readonly state: InstanceState; readonly since: Date; readonly why: Why | null }

function stateOf(pod: Pod, status: ContainerStatus | undefined): State {
  const created = new Date(pod.metadata.creationTimestamp ?? 0)
  const lastEnd = endOf(status?.lastState?.terminated)
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata
  if (deletionTimestamp !== undefined) {
    // The timestamp is when the grace time is over.
    const began = new Date(deletionTimestamp).getTime() - (deletionGracePeriodSeconds ?? 0) * 1_000
    return { state: 'Ending', since: new Date(began), why: lastEnd }
  }
  const { phase } = pod.status ?? {}
  if (phase === 'Succeeded' || phase === 'Failed') return endedState(pod, status, created)
  const unscheduled = conditionOf(pod, 'PodScheduled')
  if (unscheduled?.status === 'False')
    return {
      state: 'Pending',
      since: timeOf(unscheduled.lastTransitionTime, created),
      why: { code: 'instance_unschedulable', params: { problem: cut(unscheduled.message) } },
    }
  const ready = conditionOf(pod, 'Ready')
  if (ready?.status === 'Unknown')
    return {
      state: 'Failing',
      since: timeOf(ready.lastTransitionTime, created),
      why: { code: 'instance_node_lost', params: { node: pod.spec?.nodeName ?? '' } },
    }
  return containerState(status, {
    created,
    readySince: ready?.status === 'True' ? timeOf(ready.lastTransitionTime, created) : undefined,
    port: pod.spec?.containers.find(({ name }) => name === status?.name)?.ports?.[0]?.containerPort,
  })
}

function endedState(pod: Pod, status: ContainerStatus | undefined, created: Date): State {
  const terminated = status?.state?.terminated
  const { reason, message } = pod.status ?? {}
  const evicted =
    reason === 'Evicted' ? { code: 'instance_evicted', params: { problem: cut(message) } } : undefined
  return {
    state: 'Ended',
    since: timeOf(terminated?.finishedAt, created),
    why: evicted ?? endOf(terminated),
  }
}

function containerState(
  status: ContainerStatus | undefined,
  about: {
    readonly created: Date
    readonly readySince: Date | undefined
    /** Where it is asked whether it has started. */
    readonly port: number | undefined
  },
): State {
  const { created, readySince } = about
  const { waiting, running, terminated } = status?.state ?? {}
  const lastEnd = endOf(status?.lastState?.terminated)
  if (waiting?.reason !== undefined && !ON_THE_WAY.has(waiting.reason))
    return {
      state: 'Failing',
      since: timeOf(status?.lastState?.terminated?.finishedAt, created),
      why: waitingWhy(waiting.reason, waiting.message) ?? lastEnd,
    }
  if (terminated)
    return {
      state: terminated.exitCode === 0 ? 'Ended' : 'Failing',
      since: timeOf(terminated.finishedAt, created),
      why: endOf(terminated),
    }
  if (!running) return { state: 'Starting', since: created, why: lastEnd }
  if (readySince !== undefined) return { state: 'Ready', since: readySince, why: lastEnd }
  const since = timeOf(running.startedAt, created)
  if (status?.started === false) return { state: 'Starting', since, why: silenceOf(lastEnd, about.port) }
  return { state: 'Running', since, why: lastEnd ?? { code: 'instance_not_ready', params: {} } }
}

/**
 * Why a container that runs does not count as started: nothing answers there yet. One that the kubelet ended because of that
 * before still has this as its reason, and not the signal.
 */
function silenceOf(lastEnd: Why | null, port: number | undefined): Why | null {
  if (port === undefined || (lastEnd !== null && lastEnd.code !== 'instance_killed')) return lastEnd
  return { code: 'instance_no_answer', params: { port } }
}

function waitingWhy(reason: string, message: string | undefined): Why | undefined {
  if (reason === 'CrashLoopBackOff') return undefined
  if (IMAGE_REASONS.has(reason))
    return { code: 'instance_image', params: { problem: cut(message ?? reason) } }
  return { code: 'instance_cannot_start', params: { problem: cut(message ?? reason) } }
}

/** Why a container ended; null when it did not, or ended well. */
function endOf(terminated: Terminated | undefined): Why | null {
  if (!terminated) return null
  const { reason, exitCode } = terminated
  if (reason === 'OOMKilled') return { code: 'instance_out_of_memory', params: {} }
  const number = terminated.signal ?? (exitCode > 128 && exitCode < 160 ? exitCode - 128 : undefined)
  if (number !== undefined && number > 0)
    return { code: 'instance_killed', params: { signal: SIGNALS[number] ?? String(number) } }
  if (exitCode !== 0 && terminated.message !== undefined && reason !== 'Error' && reason !== undefined)
    return { code: 'instance_cannot_start', params: { problem: cut(terminated.message) } }
  return { code: 'instance_exited', params: { exitCode } }
}

function conditionOf(pod: Pod, wanted: string) {
  return pod.status?.conditions?.find(({ type }) => type === wanted)
}

function isReady(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && conditionOf(pod, 'Ready')?.status === 'True'
}

function timeOf(text: string | undefined | null, otherwise: Date): Date {
  return text === undefined || text === null ? otherwise : new Date(text)
}

function cut(text: string | undefined): string {
  return shorten(text ?? '', TEXT_MAX)
}

/** A Cluster whose Instances share an address says in an annotation where each really answers. */
function portsOf(pod: Pod): Record<string, number> {
  const own = (pod.spec?.containers ?? []).flatMap(({ ports }) =>
    (ports ?? []).map(({ containerPort }): [string, number] => [String(containerPort), containerPort]),
  )
  return { ...Object.fromEntries(own), ...mappedPorts(pod.metadata.annotations?.[PORTS_ANNOTATION]) }
}

const PORTS_TEXT_MAX = 4_096

function mappedPorts(text: string | undefined): Record<string, number> {
  if (text === undefined || text.length > PORTS_TEXT_MAX) return {}
  const pairs = [...text.matchAll(/"(\d{1,5})"\s*:\s*(\d{1,5})/gu)]
  return Object.fromEntries(pairs.map(([, from = '', to]) => [from, Number(to)]))
}

/** Use of all containers of a pod together. */
export function useOf(metrics: Live<'podmetrics'>): Use {
  return metrics.containers.reduce(
    (sum, { usage }) => ({
      cpuCores: sum.cpuCores + parseQuantity(usage.cpu),
      memoryBytes: sum.memoryBytes + parseQuantity(usage.memory),
    }),
    { cpuCores: 0, memoryBytes: 0 },
  )
}
