/** What the API server asks of this node: logs, exec, attach, port-forward and usage. */
import { connect } from 'node:net'

import { messageOf } from '@slipway/kit'

import { statusErrors } from '../errors.ts'
import type { ContainerReference, LogOptions, NodeAgent } from '../model.ts'
import { declaredPorts } from './addresses.ts'
import type { Agent } from './agent.ts'
import { resolvePort, type Live } from './container.ts'
import { attachTo, execInside } from './exec.ts'
import { attemptFolder } from './folders.ts'
import { readLog } from './log-read.ts'
import { containersOf, type Container, type ContainerRecord, type Pod } from './model.ts'
import type { PodWorker } from './pod-worker.ts'
import { memoryOf, type Meter } from './usage.ts'

const CONNECT_TIMEOUT_MS = 10_000

type Found = {
  readonly worker: PodWorker
  readonly state: ContainerRecord
  readonly container: Container
  readonly pod: Pod
}

/** Logs, exec, attach, connections and usage of the pods that `workers` keep. */
export function nodeAgent(
  agent: Agent,
  workers: ReadonlyMap<string, PodWorker>,
  meter: Meter,
  pageBytes: number,
): NodeAgent {
  function find(reference: ContainerReference): Found {
    const pod = agent.registry.get('pods', reference.namespace, reference.pod)
    if (!pod) throw statusErrors.notFound('pods', '', reference.pod)
    const part = containersOf(pod.spec ?? { containers: [] }).find(
      ({ container }) => container.name === reference.container,
    )
    if (!part)
      throw statusErrors.badRequest(`container ${reference.container} is not valid for pod ${reference.pod}`)
    const worker = workers.get(pod.metadata.uid)
    const state = worker?.record().containers[reference.container]
    if (!worker || !state) throw notStarted(reference, undefined)
    return { worker, state, container: part.container, pod }
  }

  function findLive(reference: ContainerReference): Found & { readonly live: Live } {
    const found = find(reference)
    const live = found.worker.lives().get(reference.container)
    if (!live) throw statusErrors.internal(`container not running (${reference.container})`)
    return { ...found, live }
  }

  return {
    nodeName: agent.nodeName,
    async logs(reference, options) {
      const { worker, state } = find(reference)
      return openLog(agent, worker, state, { reference, options })
    },
    exec: async (reference, command, streams) =>
      execInside(findLive(reference).live.inside, command, streams, agent.clock),
    async attach(reference, streams) {
      const { live, container } = findLive(reference)
      return attachTo(agent, live, container, streams)
    },
    async connect(namespace, podName, port) {
      const pod = agent.registry.get('pods', namespace, podName)
      const worker = pod && workers.get(pod.metadata.uid)
      if (!pod || !worker) throw statusErrors.notFound('pods', '', podName)
      return connectTo(agent, worker, pod, port)
    },
    nodeUsage: async () => ({ ...meter.node(), at: agent.clock.now() }),
    async podUsage() {
      const members = agent.processes.scan()
      meter.sample(members)
      const byMarker = Map.groupBy(members, (member) => member.marker)
      const at = agent.clock.now()
      return [...workers.values()].flatMap((worker) => {
        const containers = [...worker.lives()].map(([name, live]) => ({
          name,
          cpuCores: meter.cpuCores(live.marker),
          memoryBytes: memoryOf(byMarker.get(live.marker) ?? [], pageBytes),
        }))
        const { namespace, name } = worker.record()
        return containers.length === 0 ? [] : [{ namespace, pod: name, at, containers }]
      })
    },
  }
}

function notStarted(reference: ContainerReference, state: ContainerRecord | undefined): Error {
  const reason = state?.waiting?.reason ?? 'ContainerCreating'
  return statusErrors.badRequest(
    `container "${reference.container}" in pod "${reference.pod}" is waiting to start: ${reason}`,
  )
}

async function openLog(
  agent: Agent,
  worker: PodWorker,
  state: ContainerRecord,
  asked: { readonly reference: ContainerReference; readonly options: LogOptions },
): Promise<ReturnType<typeof readLog>> {
  const { reference, options } = asked
  const never = state.phase === 'waiting'
  const attempt =
    options.previous === true
      ? state.attempt - 1
      : never && state.attempt > 0
        ? state.attempt - 1
        : state.attempt
  if (attempt < 0)
    throw statusErrors.badRequest(
      `previous terminated container "${reference.container}" in pod "${reference.pod}" not found`,
    )
  if (never && state.attempt === 0) throw notStarted(reference, state)
  const live = worker.lives().get(reference.container)
  const folder = attemptFolder(agent.folders, worker.uid, reference.container, attempt)
  if (live && attempt === state.attempt) await live.output.drain(false)
  return readLog(folder, attempt === state.attempt ? live?.output : undefined, {
    ...options,
    now: agent.clock.now(),
  })
}

async function connectTo(
  agent: Agent,
  worker: PodWorker,
  pod: Pod,
  port: number,
): Promise<ReturnType<typeof connect>> {
  const record = worker.record()
  const problems: string[] = []
  for (const container of pod.spec?.containers ?? []) {
    const state = record.containers[container.name]
    if (!state || !worker.lives().has(container.name)) continue
    const declared = declaredPorts(container)
    if (declared.length > 0 && !declared.includes(port) && pod.spec?.containers.length !== 1) continue
    const found = resolvePort({ agent, pod, record, container, state }, port)
    if (found.port === undefined) problems.push(found.problem)
    else return dial(agent, record.podIp, found.port)
  }
  throw statusErrors.internal(
    `cannot connect to port ${port} of the pod: ${problems[0] ?? 'no container runs'}`,
  )
}

function dial(agent: Agent, host: string, port: number): Promise<ReturnType<typeof connect>> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port })
    const deadline = agent.clock.after(CONNECT_TIMEOUT_MS, () =>
      socket.destroy(new Error('the connection timed out')),
    )
    socket.once('error', (error) => {
      deadline[Symbol.dispose]()
      reject(statusErrors.internal(`cannot connect to ${host}:${port}: ${messageOf(error)}`))
    })
    socket.once('connect', () => {
      deadline[Symbol.dispose]()
      resolve(socket)
    })
  })
}
