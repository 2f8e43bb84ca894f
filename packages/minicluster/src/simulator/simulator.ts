/*
 * Nodes that only exist on paper, for load tests and demonstrations: pods bound to them become Running and Ready after a delay
 * and end when they are deleted; no process runs. Heartbeats are virtual: nothing is written for a node that is well, because
 * thousands of lease writes are what breaks such simulations elsewhere. Logs say in each line that they are made up.
 */
import { Readable } from 'node:stream'

import { parseQuantity } from '@slipway/kit'

import { timeText } from '../controllers/conditions.ts'
import {
  controllerOf,
  isStatus,
  keyOf,
  keyQueue,
  type Parts,
  splitKey,
  unlessGone,
} from '../controllers/kit.ts'
import { SIMULATED_LABEL } from '../controllers/node/controller.ts'
import { indexObjects, type ObjectIndex } from '../controllers/object-index.ts'
import { isFinished, type Pod } from '../controllers/pods.ts'
import type { StatusError } from '../errors.ts'
import { statusErrors } from '../errors.ts'
import type { NodeAgent, Objects, Stored } from '../model.ts'

const NAME = 'simulator'
const WRITES_AT_ONCE = 64
/** Share of its requests that a made-up pod is said to use. */
const LOAD = 0.3

export type SimulatorOptions = {
  /** Nodes to make at start; others may be made through the API with the label `slipway/simulated: "true"`. */
  readonly nodes: number
  readonly cpuCores?: number
  readonly memoryGibibytes?: number
  readonly podsPerNode?: number
  /** How long a pod takes to become ready, in ms. */
  readonly readyDelayMs?: number
  /** How long a deleted pod takes to end, in ms. */
  readonly endDelayMs?: number
  /** How long the pod of a Job runs, in ms. */
  readonly jobDurationMs?: number
}

export type Simulator = AsyncDisposable & {
  /** The agents of all simulated nodes there are now. */
  readonly agents: () => readonly NodeAgent[]
}

type Room = Parts & {
  readonly options: Required<SimulatorOptions>
  readonly podsByNode: ObjectIndex<'pods'>
  /** When the present state of a pod is over, by its uid: the times in a pod's status have whole seconds only. */
  readonly dues: Map<string, { readonly state: State; readonly atMs: number }>
}
type State = 'starting' | 'running' | 'ending'

/** Starts the simulation of every node that carries the label. */
export async function startSimulator(parts: Parts, options: SimulatorOptions): Promise<Simulator> {
  const podsByNode = indexObjects(parts.registry, 'pods', (pod) =>
    pod.spec?.nodeName === undefined ? [] : [pod.spec.nodeName],
  )
  const room: Room = {
    ...parts,
    podsByNode,
    dues: new Map(),
    options: {
      nodes: options.nodes,
      cpuCores: options.cpuCores ?? 32,
      memoryGibibytes: options.memoryGibibytes ?? 128,
      podsPerNode: options.podsPerNode ?? 250,
      readyDelayMs: options.readyDelayMs ?? 500,
      endDelayMs: options.endDelayMs ?? 100,
      jobDurationMs: options.jobDurationMs ?? 1_000,
    },
  }
  const { registry } = parts
  for (let index = 0; index < options.nodes; index += 1) await makeNode(room, `simulated-${index}`)

  const pods = keyQueue(parts, {
    name: NAME,
    concurrency: WRITES_AT_ONCE,
    reconcile: (key) => reconcilePod(room, key),
  })
  const nodes = keyQueue(parts, {
    name: NAME,
    concurrency: 8,
    reconcile: (name) => reconcileNode(room, name),
  })
  const observer = registry.observe((change) => {
    if (change.type === 'DELETED') {
      room.dues.delete(change.object.metadata.uid)
      return
    }
    if (change.resource === 'pods' && isSimulated(room, change.object.spec?.nodeName))
      pods.wake(keyOf(change.object))
    if (change.resource === 'nodes' && change.object.metadata.labels?.[SIMULATED_LABEL] === 'true')
      nodes.wake(change.object.metadata.name)
  })
  for (const node of registry.list('nodes'))
    if (node.metadata.labels?.[SIMULATED_LABEL] === 'true') nodes.wake(node.metadata.name)
  for (const pod of registry.list('pods')) if (isSimulated(room, pod.spec?.nodeName)) pods.wake(keyOf(pod))

  return {
    agents: () =>
      registry
        .list('nodes')
        .filter((node) => node.metadata.labels?.[SIMULATED_LABEL] === 'true')
        .map((node) => agentOf(room, node.metadata.name)),
    async [Symbol.asyncDispose]() {
      observer[Symbol.dispose]()
      await Promise.all([pods[Symbol.asyncDispose](), nodes[Symbol.asyncDispose]()])
      podsByNode[Symbol.dispose]()
    },
  }
}

function isSimulated({ registry }: Room, nodeName: string | undefined): boolean {
  if (nodeName === undefined || nodeName === '') return false
  return registry.get('nodes', undefined, nodeName)?.metadata.labels?.[SIMULATED_LABEL] === 'true'
}

async function makeNode({ registry, options }: Room, name: string): Promise<void> {
  const capacity = {
    cpu: String(options.cpuCores),
    memory: `${options.memoryGibibytes}Gi`,
    'ephemeral-storage': '200Gi',
    pods: String(options.podsPerNode),
  }
  const node: Objects['nodes'] = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        [SIMULATED_LABEL]: 'true',
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': process.arch === 'arm64' ? 'arm64' : 'amd64',
      },
    },
    // Nothing lands here by accident: only pods that say they may be simulated.
    spec: { taints: [{ key: SIMULATED_LABEL, value: 'true', effect: 'NoSchedule' }] },
    status: { capacity, allocatable: capacity },
  }
  if (registry.get('nodes', undefined, name)) return
  try {
    const made = await registry.create('nodes', node, NAME)
    await registry.updateStatus('nodes', { ...made, status: { capacity, allocatable: capacity } }, NAME)
  } catch (thrown) {
    if (!isStatus(thrown, 'AlreadyExists')) throw thrown
  }
}

/** Writes once that the node is well; with the annotation `slipway/simulated-fault` it is not ready until it is taken off. */
async function reconcileNode(room: Room, name: string): Promise<Record<string, never>> {
  const node = room.registry.get('nodes', undefined, name)
  if (!node || node.metadata.deletionTimestamp !== undefined) return {}
  const fault = node.metadata.annotations?.['slipway/simulated-fault']
  const status = fault === undefined ? 'True' : 'False'
  const ready = node.status?.conditions?.find((condition) => condition.type === 'Ready')
  if (ready?.status === status) return {}
  const at = timeText(room.clock.now())
  const condition = {
    type: 'Ready',
    status,
    reason: fault === undefined ? 'Simulated' : 'SimulatedFault',
    message: fault ?? 'This node is simulated; nothing runs on it.',
    lastHeartbeatTime: at,
    lastTransitionTime: at,
  }
  const others = (node.status?.conditions ?? []).filter((one) => one.type !== 'Ready')
  const capacity = node.status?.capacity ?? { cpu: '32', memory: '128Gi', pods: '250' }
  await unlessGone(
    room.registry.updateStatus(
      'nodes',
      {
        ...node,
        status: {
          ...node.status,
          capacity,
          allocatable: node.status?.allocatable ?? capacity,
          conditions: [...others, condition],
          addresses: [{ type: 'Hostname', address: name }],
        },
      },
      NAME,
    ),
  )
  return {}
}

async function reconcilePod(room: Room, key: string): Promise<{ readonly againInMs?: number }> {
  const { namespace, name } = splitKey(key)
  const pod = room.registry.get('pods', namespace, name)
  if (!pod || !isSimulated(room, pod.spec?.nodeName)) return {}
  const { readyDelayMs, endDelayMs, jobDurationMs } = room.options
  if (pod.metadata.deletionTimestamp !== undefined) {
    const leftMs = timeLeftMs(room, pod, 'ending', endDelayMs)
    if (leftMs > 0) return { againInMs: leftMs }
    await endPod(room, pod)
    return {}
  }
  if (isFinished(pod)) return {}
  if (pod.status?.phase !== 'Running') {
    if (pod.status?.startTime === undefined) await writePod(room, pod, startedStatus(room, pod))
    const leftMs = timeLeftMs(room, pod, 'starting', readyDelayMs)
    if (leftMs > 0) return { againInMs: leftMs }
    const present = room.registry.get('pods', namespace, name)
    if (present) await writePod(room, present, runningStatus(room, present))
    return {}
  }
  if (controllerOf(pod)?.kind !== 'Job') return {}
  const leftMs = timeLeftMs(room, pod, 'running', jobDurationMs)
  if (leftMs > 0) return { againInMs: leftMs }
  await writePod(room, pod, succeededStatus(room, pod))
  return {}
}

/** How long a pod stays in a state; the time counts from when it is first seen there. */
function timeLeftMs(room: Room, pod: Pod, state: State, delayMs: number): number {
  const nowMs = room.clock.monotonicMs()
  const known = room.dues.get(pod.metadata.uid)
  if (known?.state === state) return known.atMs - nowMs
  room.dues.set(pod.metadata.uid, { state, atMs: nowMs + delayMs })
  return delayMs
}

async function endPod(room: Room, pod: Pod): Promise<void> {
  const { namespace, name, uid } = pod.metadata
  if (!isFinished(pod)) await writePod(room, pod, succeededStatus(room, pod))
  await unlessGone(
    room.registry.remove('pods', namespace, name, { gracePeriodSeconds: 0, preconditions: { uid } }),
  )
}

type PodStatus = NonNullable<Pod['status']>

async function writePod(room: Room, pod: Pod, status: PodStatus): Promise<void> {
  await unlessGone(room.registry.updateStatus('pods', { ...pod, status }, NAME))
}

function conditionsOf(room: Room, pod: Pod, ready: boolean): NonNullable<PodStatus['conditions']> {
  const at = timeText(room.clock.now())
  return ['PodScheduled', 'PodReadyToStartContainers', 'Initialized', 'ContainersReady', 'Ready'].map(
    (type) => {
      const status = ready || type === 'PodScheduled' ? 'True' : 'False'
      const known = pod.status?.conditions?.find((condition) => condition.type === type)
      const lastTransitionTime = known?.status === status ? (known.lastTransitionTime ?? at) : at
      return { type, status, lastTransitionTime }
    },
  )
}

function startedStatus(room: Room, pod: Pod): PodStatus {
  return {
    ...pod.status,
    phase: 'Pending',
    startTime: timeText(room.clock.now()),
    conditions: conditionsOf(room, pod, false),
    containerStatuses: (pod.spec?.containers ?? []).map(({ name, image }) => ({
      name,
      image: image ?? '',
      imageID: '',
      ready: false,
      started: false,
      restartCount: 0,
      state: { waiting: { reason: 'ContainerCreating' } },
    })),
  }
}

function runningStatus(room: Room, pod: Pod): PodStatus {
  const address = addressOf(pod)
  const startedAt = timeText(room.clock.now())
  return {
    ...pod.status,
    phase: 'Running',
    conditions: conditionsOf(room, pod, true),
    hostIP: '127.0.0.1',
    podIP: address,
    podIPs: [{ ip: address }],
    containerStatuses: (pod.status?.containerStatuses ?? []).map((status) => ({
      ...status,
      ready: true,
      started: true,
      containerID: `simulated://${pod.metadata.uid}/${status.name}`,
      state: { running: { startedAt } },
    })),
  }
}

function succeededStatus(room: Room, pod: Pod): PodStatus {
  const finishedAt = timeText(room.clock.now())
  return {
    ...pod.status,
    phase: 'Succeeded',
    conditions: conditionsOf(room, pod, false),
    containerStatuses: (pod.status?.containerStatuses ?? []).map((status) => ({
      ...status,
      ready: false,
      started: false,
      state: {
        terminated: {
          exitCode: 0,
          reason: 'Completed',
          startedAt: status.state?.running?.startedAt ?? finishedAt,
          finishedAt,
        },
      },
    })),
  }
}

/** An address of 198.18.0.0/15, set aside for benchmarks (RFC 2544), so that nothing real is ever reached by it. */
function addressOf(pod: Pod): string {
  const number = Number.parseInt(pod.metadata.uid.replaceAll('-', '').slice(0, 8), 16) % 2 ** 17
  return `198.${18 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`
}

function agentOf(room: Room, nodeName: string): NodeAgent {
  const { registry, clock } = room
  const podsHere = (): readonly Pod[] =>
    room.podsByNode.get(nodeName).filter((pod) => pod.status?.phase === 'Running')
  const refusal = (): StatusError =>
    statusErrors.badRequest(`node ${nodeName} is simulated: nothing runs there that could be reached`)
  return {
    nodeName,
    logs: (container) => {
      const started = registry.get('pods', container.namespace, container.pod)?.status?.startTime ?? ''
      const line = `made up: ${container.namespace}/${container.pod}/${container.container} is simulated on ${nodeName} since ${started}; nothing runs\n`
      return Promise.resolve(Readable.from([Buffer.from(line, 'utf8')]))
    },
    exec: () => Promise.reject(refusal()),
    attach: () => Promise.reject(refusal()),
    connect: () => Promise.reject(refusal()),
    nodeUsage() {
      const usage = podsHere().flatMap((pod) => (pod.spec?.containers ?? []).map(usageOf))
      return Promise.resolve({
        at: clock.now(),
        cpuCores: usage.reduce((sum, one) => sum + one.cpuCores, 0),
        memoryBytes: usage.reduce((sum, one) => sum + one.memoryBytes, 0),
      })
    },
    podUsage: () =>
      Promise.resolve(
        podsHere().map((pod) => ({
          namespace: pod.metadata.namespace ?? '',
          pod: pod.metadata.name,
          at: clock.now(),
          containers: (pod.spec?.containers ?? []).map((container) => ({
            name: container.name,
            ...usageOf(container),
          })),
        })),
      ),
  }
}

type Container = NonNullable<Stored<'pods'>['spec']>['containers'][number]

function usageOf(container: Container): { readonly cpuCores: number; readonly memoryBytes: number } {
  const requests = container.resources?.requests ?? {}
  return {
    cpuCores: LOAD * parseQuantity(requests['cpu'] ?? '100m'),
    memoryBytes: Math.round(LOAD * parseQuantity(requests['memory'] ?? '64Mi')),
  }
}
