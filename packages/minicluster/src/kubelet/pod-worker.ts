/*
 * Keeps one pod as it should be. Woken by changes and timers, it reads the pod and its record, asks `planPod` what to do, begins
 * the steps (each container has at most one step under way) and writes the status. Steps run beside the loop, so that a slow pull
 * or a long grace period never delays a decision about another container.
 */
import { canonicalJson, messageOf, serialQueue } from '@slipway/kit'

import { StatusError } from '../errors.ts'
import { declaredPorts, portsMap, servedPort } from './addresses.ts'
import type { Agent } from './agent.ts'
import type { Live } from './container.ts'
import { createContainerTasks, type ContainerTasks } from './container-tasks.ts'
import { podRunFolder, podStateFolder } from './folders.ts'
import { removeTree } from './instance-folder.ts'
import {
  containersOf,
  ISOLATION_MODE_ANNOTATION,
  MANAGER,
  PORTS_ANNOTATION,
  without,
  type Container,
  type ContainerRecord,
  type Pod,
  type PodRecord,
  type PodSpec,
} from './model.ts'
import { planPod, type PodStep } from './plan.ts'
import { placeMarker } from './prepare.ts'
import type { ProbeState } from './probes.ts'
import { forgetPod, savePod } from './state.ts'
import { podStatus } from './status.ts'
import { refreshVolumes } from './volumes.ts'

export type PodWorker = {
  readonly uid: string
  readonly record: () => PodRecord
  readonly pod: () => Pod | undefined
  readonly spec: () => PodSpec
  readonly lives: () => ReadonlyMap<string, Live>
  readonly wake: () => void
  /** ConfigMaps or Secrets of the namespace changed. */
  readonly configurationChanged: () => void
  /** Ends the whole pod as failed: eviction. */
  readonly fail: (reason: string, message: string) => Promise<void>
  /** Kills one container; `reason` stands in its status. */
  readonly kill: (container: string, reason: string, message: string) => void
  /** Resolves when the pod is gone from this node. */
  readonly ended: Promise<void>
  /** Stops deciding; with `kill` also ends the processes, after at most `graceMs`. */
  readonly stop: (options: { readonly kill: boolean; readonly graceMs: number }) => Promise<void>
}

const RETRY_MS = 1_000
/** Grace of pods that were removed without asking us. */
const GONE_GRACE_MS = 2_000

export function createPodWorker(agent: Agent, first: PodRecord, adopted: boolean): PodWorker {
  const { registry, clock, log } = agent
  const saves = serialQueue()
  const ended = Promise.withResolvers<void>()
  let record = first
  let lastPod: Pod | undefined
  let stopped = false
  let finished = false
  let dirty = false
  let running: Promise<void> | undefined
  let timer: { readonly atMs: number; readonly due: Disposable } | undefined
  let shutdownDeadlineMs: number | undefined
  let goneDeadlineMs: number | undefined

  async function update(change: (before: PodRecord) => PodRecord): Promise<void> {
    record = change(record)
    const next = record
    await saves.run(() => savePod(agent.folders, next))
  }

  function findPod(): Pod | undefined {
    const found = registry.get('pods', record.namespace, record.name)
    if (found?.metadata.uid === record.uid) lastPod = found
    return found?.metadata.uid === record.uid ? found : undefined
  }

  /** Without the pod, after an adoption, its containers are known by their names only. */
  function spec(): PodSpec {
    const known = (findPod() ?? lastPod)?.spec
    return known ?? { containers: Object.keys(record.containers).map((name): Container => ({ name })) }
  }

  function graceDeadline(beganMs: number): number {
    const pod = findPod()
    if (!pod) return (goneDeadlineMs ??= clock.monotonicMs() + GONE_GRACE_MS)
    const seconds = pod.metadata.deletionGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 30
    return Math.min(beganMs + seconds * 1_000, shutdownDeadlineMs ?? Infinity)
  }

  const tasks: ContainerTasks = createContainerTasks({
    agent,
    record: () => record,
    pod: () => findPod() ?? lastPod,
    update,
    graceDeadline,
    wake,
    initialState: (name) => initialState(name),
  })

  /** What the API knew about a container that we adopt: it is not unready only because we were away. */
  function initialState(name: string): ProbeState | undefined {
    if (!adopted) return undefined
    const statuses = [
      ...(lastPod?.status?.containerStatuses ?? []),
      ...(lastPod?.status?.initContainerStatuses ?? []),
    ]
    const status = statuses.find((candidate) => candidate.name === name)
    return status && { started: status.started === true, ready: status.ready }
  }

  function wakeAt(atMs: number): void {
    if (timer && timer.atMs <= atMs) return
    timer?.due[Symbol.dispose]()
    const due = clock.after(Math.max(0, Math.min(atMs - clock.now().getTime(), 3_600_000)), () => {
      timer = undefined
      wake()
    })
    timer = { atMs, due }
  }

  function wake(): void {
    if (stopped) return
    dirty = true
    running ??= loop()
  }

  async function loop(): Promise<void> {
    while (dirty) {
      dirty = false
      if (stopped) break
      try {
        await sync()
      } catch (error) {
        const conflict = error instanceof StatusError && error.code === 409
        if (!conflict) log('error', 'keeping a pod failed', { pod: record.name, error: messageOf(error) })
        wakeAt(clock.now().getTime() + (conflict ? 0 : RETRY_MS))
      }
    }
    // In the turn that found nothing to do: whoever wakes from now on begins a new loop, and no wake is lost in between.
    running = undefined
  }

  async function sync(): Promise<void> {
    const pod = findPod()
    const ending = !pod || pod.metadata.deletionTimestamp !== undefined
    if (ending || record.failed) tasks.abortStarts()
    const over = pod?.status?.phase === 'Succeeded' || pod?.status?.phase === 'Failed'
    const steps: readonly PodStep[] =
      over && !ending && !tasks.anyAlive()
        ? [{ kind: 'finished', succeeded: pod.status.phase === 'Succeeded' }]
        : planPod({
            spec: spec(),
            record,
            ending: ending || over,
            startedContainers: tasks.started(),
            nowMs: clock.now().getTime(),
            periods: agent.periods,
          })
    for (const step of steps) await take(step)
    const done = steps.some((step) => step.kind === 'finished') && !tasks.anyUnderway()
    if (done) await clean()
    if (pod) await writeStatus(pod, done)
    if (done && ending) await leave(pod)
  }

  async function take(step: PodStep): Promise<void> {
    switch (step.kind) {
      case 'start':
        tasks.start(step.container)
        return
      case 'stop':
        tasks.stop(step.container)
        return
      case 'wake':
        wakeAt(step.atMs)
        return
      case 'fail':
        await fail(step.reason, step.message)
        return
      case 'finished':
        return
      default:
        return
    }
  }

  async function fail(reason: string, message: string): Promise<void> {
    if (record.failed || finished) return
    await update((before) => ({ ...before, failed: { reason, message } }))
    const pod = findPod()
    if (pod) agent.events.report(pod, { type: reason === 'Evicted' ? 'Warning' : 'Normal', reason, message })
    wake()
  }

  /** Removes processes and folders; logs stay until the pod leaves. */
  async function clean(): Promise<void> {
    if (finished) return
    const { hostUid } = record
    await agent.processes.killAll((marker) => marker.startsWith(`${agent.agentId}.${record.uid}.`), hostUid)
    await removeTree(podRunFolder(agent.folders, record.uid))
    if (hostUid !== undefined) {
      agent.processes.claimUid(hostUid, undefined)
      await agent.identities.release(hostUid)
      await update((before) => without(before, 'hostUid'))
    }
    finished = true
  }

  async function leave(pod: Pod | undefined): Promise<void> {
    if (pod) {
      await agent.events.settled()
      await registry
        .remove('pods', record.namespace, record.name, {
          gracePeriodSeconds: 0,
          preconditions: { uid: record.uid },
        })
        .catch((error: unknown) => {
          // Gone already, or another pod by that name: both are what we want.
          if (!(error instanceof StatusError) || (error.code !== 404 && error.code !== 409)) throw error
        })
    }
    stopped = true
    timer?.due[Symbol.dispose]()
    await saves.run(() => forgetPod(agent.folders, record.uid))
    ended.resolve()
  }

  async function writeStatus(pod: Pod, done: boolean): Promise<void> {
    const status = podStatus({
      pod,
      record,
      agentId: agent.agentId,
      ready: tasks.ready(),
      started: tasks.started(),
      finished: done || finished,
      now: clock.now(),
      periods: agent.periods,
    })
    const annotations = { ...pod.metadata.annotations, ...annotationsOf(pod) }
    const same =
      canonicalJson(status) === canonicalJson(withoutGeneration(pod.status)) &&
      canonicalJson(annotations) === canonicalJson(pod.metadata.annotations ?? {})
    if (same) return
    await registry.updateStatus(
      'pods',
      { ...pod, metadata: { ...pod.metadata, annotations }, status },
      MANAGER,
    )
  }

  function annotationsOf(pod: Pod): Readonly<Record<string, string>> {
    const ports: Record<string, number> = {}
    for (const { container } of containersOf(pod.spec ?? { containers: [] })) {
      const state = record.containers[container.name]
      if (!state || state.port === 0) continue
      const declared = declaredPorts(container)
      if (declared.length === 0) continue
      const listeners = agent.network.listenersOf(placeMarker({ agent, record, state }), (known) =>
        declared.every(
          (wanted) => servedPort({ wanted, declared, port: state.port, listeners: known }) !== undefined,
        ),
      )
      Object.assign(ports, portsMap(declared, state.port, listeners))
    }
    return {
      ...(Object.keys(ports).length === 0 ? {} : { [PORTS_ANNOTATION]: JSON.stringify(ports) }),
      ...(record.isolation === 'none' ? {} : { [ISOLATION_MODE_ANNOTATION]: record.isolation }),
    }
  }

  async function stop(options: { readonly kill: boolean; readonly graceMs: number }): Promise<void> {
    stopped = true
    timer?.due[Symbol.dispose]()
    await running
    if (options.kill && !finished) {
      shutdownDeadlineMs = clock.monotonicMs() + options.graceMs
      await tasks.shutDown()
      await agent.processes.killAll(
        (marker) => marker.startsWith(`${agent.agentId}.${record.uid}.`),
        record.hostUid,
      )
    } else await tasks.detach()
    await saves.run(() => undefined)
  }

  /** After a restart of the machine the claims of uids are gone: the same one if it is still free, else another. */
  async function claimAgain(): Promise<void> {
    if (record.hostUid === undefined || record.bootId === agent.bootId) return
    const hostUid = await agent.identities.claim(
      record.uid,
      podStateFolder(agent.folders, record.uid),
      record.hostUid,
    )
    if (hostUid === record.hostUid || hostUid === undefined) return
    await removeTree(podRunFolder(agent.folders, record.uid))
    await update((before) => ({ ...before, hostUid }))
  }

  async function adopt(): Promise<void> {
    findPod()
    await claimAgain()
    if (record.hostUid !== undefined)
      agent.processes.claimUid(record.hostUid, `${agent.agentId}.${record.uid}.-.0`)
    await tasks.adopt()
    wake()
  }

  const adopting = adopt().catch((error: unknown) =>
    log('error', 'adopting a pod failed', { pod: record.name, error: messageOf(error) }),
  )

  return {
    uid: first.uid,
    record: () => record,
    pod: findPod,
    spec,
    lives: tasks.lives,
    wake: () => void adopting.then(wake),
    configurationChanged() {
      const pod = findPod()
      if (!pod || finished || stopped) return
      tasks.retrySetups()
      if (tasks.lives().size > 0)
        refreshVolumes({
          base: agent,
          folders: agent.folders,
          pod,
          record,
          allocatable: agent.allocatable,
        }).catch((error: unknown) =>
          log('warn', 'refreshing volumes failed', { pod: record.name, error: messageOf(error) }),
        )
      wake()
    },
    fail,
    kill: (container, reason, message) => tasks.kill(container, { reason, message }),
    ended: ended.promise,
    async stop(options) {
      await adopting
      await stop(options)
    },
  }
}

/** The API server's own field, which is not for the kubelet to compare. */
function withoutGeneration(status: Pod['status']): unknown {
  return without(status ?? {}, 'observedGeneration')
}

export function newPodRecord(options: {
  readonly pod: Pod
  readonly bootId: string
  readonly podIp: string
  readonly hostUid: number | undefined
  readonly isolation: PodRecord['isolation']
  readonly now: Date
  readonly containers: readonly ContainerRecord[]
}): PodRecord {
  const { pod, hostUid } = options
  return {
    uid: pod.metadata.uid,
    namespace: pod.metadata.namespace ?? 'default',
    name: pod.metadata.name,
    bootId: options.bootId,
    podIp: options.podIp,
    ...(hostUid === undefined ? {} : { hostUid }),
    startTime: pod.status?.startTime ?? options.now.toISOString().replace(/\.[0-9]+Z$/, 'Z'),
    isolation: options.isolation,
    containers: Object.fromEntries(options.containers.map((container) => [container.name, container])),
  }
}
