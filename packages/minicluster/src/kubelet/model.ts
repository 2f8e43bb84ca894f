/*
 * The words of the process kubelet. A pod runs as processes of this machine: each container is one wrapper shell in a session
 * of its own with the application as its child. What must survive our own end stands in a `PodRecord` on disk; what only
 * matters while we live (probe results, timers) stays in the pod's worker.
 */
import type { Clock } from '@slipway/kit'

import type { Log, Registry, Stored } from '../model.ts'

export type Pod = Stored<'pods'>
export type PodSpec = NonNullable<Pod['spec']>
export type Container = PodSpec['containers'][number]
export type Probe = NonNullable<Container['livenessProbe']>

/** Sidecars are init containers with restartPolicy Always: started in order with the others, kept until the main ones are gone. */
export type ContainerKind = 'init' | 'sidecar' | 'main'

/** How one attempt of a container ended. Times are RFC 3339. */
export type Exit = {
  readonly exitCode: number
  readonly reason: string
  readonly message?: string
  readonly startedAt: string
  readonly finishedAt: string
  readonly containerId: string
}

/** A process that cannot be mistaken for a later one with the same pid: `startTicks` is field 22 of /proc/PID/stat. */
export type ProcessId = { readonly pid: number; readonly startTicks: number }

/** One container of a pod as it is kept on disk. `attempt` counts from 0 and is the restart count. */
export type ContainerRecord = {
  readonly name: string
  readonly kind: ContainerKind
  readonly attempt: number
  readonly phase: 'waiting' | 'starting' | 'running' | 'exited'
  readonly waiting?: { readonly reason: string; readonly message?: string }
  readonly wrapper?: ProcessId
  /** Processes between the wrapper and the application, which isolation adds. */
  readonly depth: number
  /** The value of PORT; 0 while none is picked. */
  readonly port: number
  readonly imageId?: string
  readonly startedAt?: string
  readonly exit?: Exit
  readonly last?: Exit
  /** Restarts that had to wait so far; the next one waits `restartDelayMs(backoffLevel)`. */
  readonly backoffLevel: number
  /** Failed attempts to get the image or to make the container, and when the next one is due. */
  readonly setupFailures: number
  readonly setupNotBefore?: string
  /** Why we ended it, when that decides the reason of its exit. */
  readonly ended?: { readonly reason: string; readonly message?: string }
}

export type IsolationMode = 'none' | 'pid-namespace' | 'user-namespace' | 'process-group'

/** A pod as it is kept on disk, written before and after every effect on processes. */
export type PodRecord = {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly bootId: string
  readonly podIp: string
  /** The uid and gid its processes run under; undefined when we are an ordinary user. */
  readonly hostUid?: number
  readonly startTime: string
  readonly isolation: IsolationMode
  readonly containers: Readonly<Record<string, ContainerRecord>>
  /** Set once, when the pod as a whole was ended by the node: eviction, deadline. */
  readonly failed?: { readonly reason: string; readonly message: string }
}

/** How often the agent looks; tests shorten these. All in milliseconds. */
export type Periods = {
  readonly scanMs: number
  readonly diskMs: number
  readonly portsMs: number
  readonly leaseMs: number
  readonly imagesMs: number
  readonly notListeningMs: number
  readonly restartFirstMs: number
  readonly restartMaxMs: number
  readonly restartResetMs: number
}

export const PERIODS: Periods = {
  scanMs: 1_000,
  diskMs: 2_000,
  portsMs: 1_000,
  leaseMs: 10_000,
  imagesMs: 300_000,
  notListeningMs: 15_000,
  restartFirstMs: 10_000,
  restartMaxMs: 300_000,
  restartResetMs: 600_000,
}

/** What every part of the agent shares. */
export type Base = {
  readonly registry: Registry
  readonly clock: Clock
  readonly log: Log
  readonly nodeName: string
  /** Tells this agent's processes from those of every other one on the machine; kept in the data folder. */
  readonly agentId: string
  readonly bootId: string
  readonly dataFolder: string
  /** PATH of the Instances, behind folders of their own. */
  readonly hostPath: string
  readonly periods: Periods
  /** Processes one container may have at once. */
  readonly processLimit: number
}

export const MANAGER = 'slipway-kubelet'
export const PORTS_ANNOTATION = 'slipway/ports'
export const ISOLATION_ANNOTATION = 'slipway/isolation'
export const ISOLATION_MODE_ANNOTATION = 'slipway/isolation-mode'
/** The reason of containers that ended because the agent was stopped: they start again without a pause. */
export const SHUTDOWN_REASON = 'Terminated'
export const MARKER_VARIABLE = 'SLIPWAY_INSTANCE'

/** The environment marker of one attempt of a container; every process it starts inherits it. */
export function markerOf(agentId: string, podUid: string, container: string, attempt: number): string {
  return `${agentId}.${podUid}.${container}.${attempt}`
}

/** All containers of a pod in the order they are started in. */
export function containersOf(
  spec: PodSpec,
): readonly { readonly kind: ContainerKind; readonly container: Container }[] {
  const first = (spec.initContainers ?? []).map((container) => ({
    kind: container.restartPolicy === 'Always' ? ('sidecar' as const) : ('init' as const),
    container,
  }))
  return [...first, ...spec.containers.map((container) => ({ kind: 'main' as const, container }))]
}

export function newContainerRecord(name: string, kind: ContainerKind): ContainerRecord {
  return { name, kind, attempt: 0, phase: 'waiting', depth: 0, port: 0, backoffLevel: 0, setupFailures: 0 }
}

/** True while processes of the container may exist. */
export function isAlive(record: ContainerRecord): boolean {
  return record.phase === 'running' || record.phase === 'starting'
}

/** Why a container cannot be made: becomes its waiting reason and an event. */
export class SetupError extends Error {
  override readonly name = 'SetupError'
  readonly reason: string
  readonly eventReason: string

  constructor(reason: string, message: string, eventReason = 'Failed') {
    super(message)
    this.reason = reason
    this.eventReason = eventReason
  }
}

/** The value without some of its optional fields. */
export function without<T extends object, K extends keyof T>(value: T, ...keys: readonly K[]): Omit<T, K> {
  const rest = { ...value }
  for (const key of keys) delete rest[key]
  return rest
}
