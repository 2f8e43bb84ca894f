/*
 * Watches instead of rlimits: memory and number of processes at every scan, disk more rarely. Who exceeds its memory or process
 * limit is killed (OOMKilled, TooManyProcesses); who exceeds its disk is evicted, as kubelets do it.
 */
import { messageOf, parseQuantity } from '@slipway/kit'

import type { Agent } from './agent.ts'
import { attemptFolder, instanceFolder, volumeFolder } from './folders.ts'
import { measureTree } from './instance-folder.ts'
import type { Container, Pod } from './model.ts'
import type { PodWorker } from './pod-worker.ts'
import type { Member } from './process-table.ts'
import { memoryOf, residentBytes } from './usage.ts'

const ENTRIES_MAX = 500_000
const PROCESS_LIMIT_ANNOTATION = 'slipway/process-limit'

export function watchProcesses(
  agent: Agent,
  workers: Iterable<PodWorker>,
  members: readonly Member[],
  pageBytes: number,
): void {
  const byMarker = Map.groupBy(members, (member) => member.marker)
  for (const worker of workers) {
    const { containers, initContainers = [] } = worker.spec()
    for (const [name, live] of worker.lives()) {
      const mine = byMarker.get(live.marker) ?? []
      const container = [...containers, ...initContainers].find((candidate) => candidate.name === name)
      if (container) watchContainer({ agent, worker, container, mine, pageBytes })
    }
  }
}

function watchContainer(options: {
  readonly agent: Agent
  readonly worker: PodWorker
  readonly container: Container
  readonly mine: readonly Member[]
  readonly pageBytes: number
}): void {
  const { agent, worker, container, mine, pageBytes } = options
  const processLimit = processLimitOf(agent, worker.pod())
  if (mine.length > processLimit) {
    worker.kill(
      container.name,
      'TooManyProcesses',
      `the container had ${mine.length} processes; ${processLimit} are allowed`,
    )
    return
  }
  const limit = container.resources?.limits?.['memory']
  if (limit === undefined) return
  const limitBytes = parseQuantity(limit)
  if (residentBytes(mine, pageBytes) <= limitBytes) return
  const usedBytes = memoryOf(mine, pageBytes)
  if (usedBytes > limitBytes)
    worker.kill(
      container.name,
      'OOMKilled',
      `the container used ${Math.round(usedBytes / 1_048_576)} MiB of memory; its limit is ${limit}`,
    )
}

function processLimitOf(agent: Agent, pod: Pod | undefined): number {
  const own = Number(pod?.metadata.annotations?.[PROCESS_LIMIT_ANNOTATION])
  return Number.isSafeInteger(own) && own > 0 ? own : agent.processLimit
}

/** Measures one pod's disk and evicts it when it is over a limit. Resolves when that is decided. */
export async function watchDisk(agent: Agent, worker: PodWorker): Promise<void> {
  try {
    const problem = await findDiskProblem(agent, worker)
    if (problem !== undefined) await worker.fail('Evicted', problem)
  } catch (error) {
    agent.log('warn', 'measuring the disk of a pod failed', {
      pod: worker.record().name,
      error: messageOf(error),
    })
  }
}

async function findDiskProblem(agent: Agent, worker: PodWorker): Promise<string | undefined> {
  const record = worker.record()
  const spec = worker.spec()
  const { hostUid } = record
  let volumesBytes = 0
  for (const volume of spec.volumes ?? []) {
    if (!volume.emptyDir) continue
    const limit = volume.emptyDir.sizeLimit
    const { bytes } = await measureTree(
      volumeFolder(agent.folders, record.uid, volume.name),
      hostUid,
      ENTRIES_MAX,
    )
    volumesBytes += bytes
    if (limit !== undefined && bytes > parseQuantity(limit))
      return `Usage of EmptyDir volume "${volume.name}" exceeds the limit "${limit}". `
  }
  let podBytes = volumesBytes
  let podLimitBytes = 0
  for (const container of spec.containers) {
    const limit = container.resources?.limits?.['ephemeral-storage']
    const state = record.containers[container.name]
    if (limit === undefined || !state) {
      podLimitBytes = Infinity
      continue
    }
    podLimitBytes += parseQuantity(limit)
    const own = await measureTree(
      instanceFolder(agent.folders, record.uid, container.name),
      hostUid,
      ENTRIES_MAX,
    )
    const logs = await measureTree(
      attemptFolder(agent.folders, record.uid, container.name, state.attempt),
      undefined,
      ENTRIES_MAX,
    )
    podBytes += own.bytes + logs.bytes
    if (own.bytes + logs.bytes > parseQuantity(limit))
      return `Container ${container.name} exceeded its local ephemeral storage limit "${limit}". `
  }
  if (podBytes > podLimitBytes)
    return `Pod ephemeral local storage usage exceeds the total limit of containers ${podLimitBytes}. `
  return undefined
}

/** True when something of the pod limits its disk. */
export function hasDiskLimit(worker: PodWorker): boolean {
  const spec = worker.spec()
  return (
    spec.containers.some((container) => container.resources?.limits?.['ephemeral-storage'] !== undefined) ||
    (spec.volumes ?? []).some((volume) => volume.emptyDir?.sizeLimit !== undefined)
  )
}
