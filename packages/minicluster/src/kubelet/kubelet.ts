/** The node agent that runs pods as processes of this machine. */
import { execFileSync } from 'node:child_process'
import path from 'node:path'

import { messageOf, repeat, systemRandom, type Clock, type Random } from '@slipway/kit'
import { clearUnfinished } from '@slipway/oci'

import type { Change, Log, NodeAgent, Registry } from '../model.ts'
import { pickPodIp } from './addresses.ts'
import type { Agent } from './agent.ts'
import { createEvents } from './events.ts'
import { openAgentId, openFolders, podStateFolder } from './folders.ts'
import { hostIdentities, ordinaryIdentities } from './identity.ts'
import { IMAGE_LIMITS, type ImageLimits } from './image-collection.ts'
import { createImages } from './images.ts'
import { probeIsolation } from './isolation.ts'
import { hasDiskLimit, watchDisk, watchProcesses } from './limits.ts'
import {
  containersOf,
  ISOLATION_ANNOTATION,
  isAlive,
  markerOf,
  newContainerRecord,
  PERIODS,
  type Base,
  type ContainerRecord,
  type Periods,
  type Pod,
  type PodRecord,
} from './model.ts'
import { createNetwork } from './network.ts'
import { nodeAgent } from './node-agent.ts'
import { readCapacity, registerNode, renewLease, reportNode } from './node.ts'
import { createPodWorker, newPodRecord, type PodWorker } from './pod-worker.ts'
import { reportSilentPorts } from './port-watch.ts'
import { readBootId } from './proc.ts'
import { createProcessTable } from './process-table.ts'
import { programPath } from './program-path.ts'
import { loadPods, savePod } from './state.ts'
import { terminalHolder } from './terminal.ts'
import { createMeter, type Meter } from './usage.ts'

export type KubeletOptions = {
  readonly registry: Registry
  readonly nodeName: string
  /** For this agent alone. As root every folder on the way to it must let other uids pass. */
  readonly dataFolder: string
  readonly clock: Clock
  readonly log: Log
  readonly random?: Random
  /** `host:port` that image names without a registry mean. */
  readonly ownRegistry?: string
  /** Where the languages' programs of Instances are looked for; by default the folder of this Node, then our own PATH. */
  readonly hostPath?: string
  /** Processes one container may have at once; 512 by default, or the pod's annotation `slipway/process-limit`. */
  readonly processLimit?: number
  /** Where claims of uids lie, for the whole host. */
  readonly uidFolder?: string
  readonly periods?: Partial<Periods>
  /** How much Images may take that nobody uses. */
  readonly imageLimits?: Partial<ImageLimits>
}

export type Kubelet = NodeAgent &
  AsyncDisposable & {
    /**
     * Ends the agent. With `keepRunning` Instances go on and the next start adopts them; else they end within `graceMs`
     * (10 s by default) and start again then. Disposing keeps nothing running.
     */
    readonly stop: (options: { readonly keepRunning: boolean; readonly graceMs?: number }) => Promise<void>
  }

const STOP_GRACE_MS = 10_000
const PROCESS_LIMIT = 512
const NODE_REPORT_EVERY = 6

/**
 * Starts the agent: adopts what runs since an earlier start, ends what nobody recorded, registers the node and takes over the
 * pods bound to it.
 * @throws {Error} when the data folder cannot be used, with the reason
 */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const { registry, clock, log, nodeName } = options
  const random = options.random ?? systemRandom
  const asRoot = process.getuid?.() === 0
  const folders = await openFolders(options.dataFolder, asRoot)
  const base: Base = {
    registry,
    clock,
    log,
    nodeName,
    agentId: await openAgentId(folders),
    bootId: readBootId(),
    dataFolder: options.dataFolder,
    hostPath: await programPath(
      options.hostPath ?? [path.dirname(process.execPath), process.env['PATH'] ?? ''].join(':'),
      asRoot,
    ),
    periods: { ...PERIODS, ...options.periods },
    processLimit: options.processLimit ?? PROCESS_LIMIT,
  }
  const workers = new Map<string, PodWorker>()
  const processes = createProcessTable({ agentId: base.agentId, clock, log })
  const capacity = readCapacity(options.dataFolder)
  const agent: Agent = {
    ...base,
    folders,
    random,
    asRoot,
    processes,
    events: createEvents(base),
    images: createImages(base, folders.images, {
      ownRegistry: options.ownRegistry,
      limits: { ...IMAGE_LIMITS, ...options.imageLimits },
      inUse: () => new Set(statesOf(workers).flatMap(({ imageId }) => imageId?.split('@')[1] ?? [])),
    }),
    identities: asRoot
      ? hostIdentities({ folder: options.uidFolder ?? '/run/slipway/uid', bootId: base.bootId, clock })
      : ordinaryIdentities(),
    network: createNetwork(processes, clock),
    terminals: terminalHolder(path.join(folders.root, 'terminal'), base.hostPath),
    buildIsolation: await probeIsolation(asRoot),
    allocatable: capacity,
    takenPorts: () => new Set(statesOf(workers).map((state) => state.port)),
    takenAddresses: () => new Set([...workers.values()].map((worker) => worker.record().podIp)),
    podNameOf: (marker) => podNameOf(workers, marker),
  }
  const meter = createMeter(clock)
  const pageBytes = readPageBytes()
  const beginning = new Map<string, Promise<void>>()
  let stopping = false

  function keep(record: PodRecord, adopted: boolean): PodWorker {
    const worker = createPodWorker(agent, record, adopted)
    workers.set(record.uid, worker)
    void worker.ended.then(() => workers.delete(record.uid))
    return worker
  }

  /** Takes over a pod bound to this node, once. */
  function accept(pod: Pod): void {
    const { uid } = pod.metadata
    const worker = workers.get(uid)
    if (worker) worker.wake()
    else if (!beginning.has(uid) && !stopping) {
      const begun = beginPod(agent, pod)
        .then((record) => (stopping ? undefined : keep(record, false).wake()))
        .catch((error: unknown) =>
          log('error', 'a pod could not be begun', { pod: pod.metadata.name, error: messageOf(error) }),
        )
        .finally(() => beginning.delete(uid))
      beginning.set(uid, begun)
    }
  }

  function onChange(change: Change): void {
    if (change.resource === 'pods') {
      if (change.type === 'DELETED') workers.get(change.object.metadata.uid)?.wake()
      else if (change.object.spec?.nodeName === nodeName) accept(change.object)
    } else if (change.resource === 'configmaps' || change.resource === 'secrets')
      for (const worker of workers.values())
        if (worker.record().namespace === change.object.metadata.namespace) worker.configurationChanged()
  }

  await clearUnfinished(folders.images)
  await adoptAll(agent, keep)
  await registerNode(base, capacity)
  await renewLease(base)
  const observing = registry.observe(onChange)
  for (const worker of workers.values()) worker.wake()
  for (const pod of registry.list('pods')) if (pod.spec?.nodeName === nodeName) accept(pod)
  const timers = startTimers({ agent, workers, meter, pageBytes, report: () => reportNode(base, capacity) })

  async function stop(how: { readonly keepRunning: boolean; readonly graceMs?: number }): Promise<void> {
    if (stopping) return
    stopping = true
    observing[Symbol.dispose]()
    timers[Symbol.dispose]()
    await Promise.all(beginning.values())
    const graceMs = how.graceMs ?? STOP_GRACE_MS
    await Promise.all([...workers.values()].map((worker) => worker.stop({ kill: !how.keepRunning, graceMs })))
    await agent.events.settled()
  }

  return {
    ...nodeAgent(agent, workers, meter, pageBytes),
    stop,
    [Symbol.asyncDispose]: () => stop({ keepRunning: false }),
  }
}

function statesOf(workers: ReadonlyMap<string, PodWorker>): readonly ContainerRecord[] {
  return [...workers.values()].flatMap((worker) => Object.values(worker.record().containers))
}

function podNameOf(workers: ReadonlyMap<string, PodWorker>, marker: string): string {
  const record = workers.get(marker.split('.')[1] ?? '')?.record()
  return record ? `${record.namespace}/${record.name}` : 'another pod'
}

function readPageBytes(): number {
  try {
    return Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' })) || 4_096
  } catch {
    return 4_096 // without the program the usual size is the best guess
  }
}

/** Records a new pod before anything of it exists. */
async function beginPod(agent: Agent, pod: Pod): Promise<PodRecord> {
  const { uid } = pod.metadata
  const over = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
  const isBuild = pod.metadata.annotations?.[ISOLATION_ANNOTATION] === 'build'
  const record = newPodRecord({
    pod,
    bootId: agent.bootId,
    podIp: pickPodIp(agent.takenAddresses(), agent.random, process.platform),
    hostUid: over ? undefined : await agent.identities.claim(uid, podStateFolder(agent.folders, uid)),
    isolation: isBuild ? agent.buildIsolation : 'none',
    now: agent.clock.now(),
    containers: containersOf(pod.spec ?? { containers: [] }).map(({ kind, container }) =>
      newContainerRecord(container.name, kind),
    ),
  })
  await savePod(agent.folders, record)
  if (record.isolation === 'process-group')
    agent.events.report(pod, {
      type: 'Warning',
      reason: 'WeakIsolation',
      message:
        'This machine allows no namespaces for this build: it is separated by a process group only and can see other processes of its user',
    })
  return record
}

/** Adopts recorded pods, then ends every process with our marker that no record accounts for. */
async function adoptAll(
  agent: Agent,
  keep: (record: PodRecord, adopted: boolean) => PodWorker,
): Promise<void> {
  const records = await loadPods(agent.folders, agent.log)
  const recorded = new Set<string>()
  for (const record of records) {
    keep(record, true)
    for (const state of Object.values(record.containers))
      if (isAlive(state)) recorded.add(markerOf(agent.agentId, record.uid, state.name, state.attempt))
  }
  const strays = agent.processes.members((marker) => !recorded.has(marker) && !marker.endsWith('.-.0'))
  if (strays.length === 0) return
  agent.log('warn', 'ending processes that no record accounts for', {
    pids: strays.map((stray) => stray.pid),
  })
  await agent.processes.killAll((marker) => !recorded.has(marker) && !marker.endsWith('.-.0'))
}

function startTimers(options: {
  readonly agent: Agent
  readonly workers: ReadonlyMap<string, PodWorker>
  readonly meter: Meter
  readonly pageBytes: number
  readonly report: () => Promise<void>
}): Disposable {
  const { agent, workers, meter, pageBytes, report } = options
  const { clock, periods, log } = agent
  let leases = 0

  async function measureDisks(): Promise<void> {
    for (const worker of workers.values())
      if (worker.lives().size > 0 && hasDiskLimit(worker)) await watchDisk(agent, worker)
  }

  const warn =
    (text: string) =>
    (error: unknown): void =>
      log('warn', text, { error: messageOf(error) })

  const running = [
    clock.every(periods.scanMs, () => {
      if ([...workers.values()].every((worker) => worker.lives().size === 0)) return
      const members = agent.processes.scan()
      meter.sample(members)
      watchProcesses(agent, workers.values(), members, pageBytes)
    }),
    repeat(clock, periods.diskMs, measureDisks, warn('disks were not measured')),
    clock.every(periods.portsMs, () => {
      for (const worker of workers.values()) {
        if (worker.lives().size === 0) continue
        reportSilentPorts(agent, worker)
        worker.wake()
      }
    }),
    repeat(clock, periods.imagesMs, () => agent.images.collect(), warn('images were not collected')),
    clock.every(periods.leaseMs, () => {
      leases += 1
      void renewLease(agent)
      if (leases % NODE_REPORT_EVERY === 0) report().catch(warn('the node status was not written'))
    }),
  ]
  return {
    [Symbol.dispose]() {
      for (const timer of running) timer[Symbol.dispose]()
    },
  }
}
