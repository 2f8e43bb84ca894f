/** Everything a container needs before its processes start: folders, volumes, environment, command line, port. */
import { chmod, chown, lstat, mkdir } from 'node:fs/promises'
import path from 'node:path'

import { isPortFree, pickPort } from './addresses.ts'
import type { Agent } from './agent.ts'
import { buildArgv, buildEnvironment, rewriteVariable } from './environment.ts'
import { applicationFolder, instanceFolder, podRunFolder, volumeFolder } from './folders.ts'
import type { RunnableImage } from './images.ts'
import { copyTree, makeOwnFolder, removeTree } from './instance-folder.ts'
import {
  MARKER_VARIABLE,
  markerOf,
  SetupError,
  type Container,
  type ContainerRecord,
  type Pod,
  type PodRecord,
} from './model.ts'
import { probeProblem } from './probe-check.ts'
import type { Inside } from './run-inside.ts'
import { ensureVolumes, linkMounts, planMounts, temporaryVolume } from './volumes.ts'

export type Place = {
  readonly agent: Agent
  readonly pod: Pod
  readonly record: PodRecord
  readonly container: Container
  readonly state: ContainerRecord
}

export function placeMarker({ agent, record, state }: Pick<Place, 'agent' | 'record' | 'state'>): string {
  return markerOf(agent.agentId, record.uid, state.name, state.attempt)
}

export type Prepared = {
  readonly argv: readonly string[]
  readonly inside: Inside
  readonly port: number
  readonly image: RunnableImage
}

/**
 * Makes everything a container needs but its processes.
 * @throws {SetupError}
 */
export async function prepareContainer(place: Place, image: RunnableImage): Promise<Prepared> {
  const { agent, pod, record, container, state } = place
  for (const probe of [container.startupProbe, container.readinessProbe, container.livenessProbe]) {
    const problem = probeProblem(probe)
    if (problem !== undefined) throw new SetupError('CreateContainerConfigError', problem)
  }
  planMounts(pod, container)
  const application = applicationFolder(agent.folders, record.uid, container.name)
  const temporaryFolder = await prepareFolders(place, image, application)
  const port =
    state.port !== 0 && (await isPortFree(state.port))
      ? state.port
      : await pickPort(agent.takenPorts(), agent.random)
  const environment = buildEnvironment({
    pod,
    container,
    image: image.config,
    registry: agent.registry,
    podIp: record.podIp,
    port,
    marker: placeMarker(place),
    markerVariable: MARKER_VARIABLE,
    hostPath: agent.hostPath,
    applicationFolder: application,
    temporaryFolder,
    allocatable: agent.allocatable,
  })
  const argv = buildArgv(container, image.config, environment, application)
  const working = container.workingDir ?? (image.config.workingFolder || '/app')
  const inside = {
    folder: working.startsWith('/app') ? rewriteVariable(working, application) : application,
    applicationFolder: application,
    hostUid: record.hostUid,
    environment,
  }
  return { argv, inside, port, image }
}

/**
 * The pod's own folder belongs to us and lets only the pod's group pass, so nobody else reads its secrets and the Instance cannot
 * swap a folder for a link while we work as root. The application's folder is opened to it last, for the same reason.
 */
async function prepareFolders(place: Place, image: RunnableImage, application: string): Promise<string> {
  const { agent, pod, record, container } = place
  const { hostUid } = record
  const podFolder = podRunFolder(agent.folders, record.uid)
  await mkdir(podFolder, { recursive: true })
  if (hostUid !== undefined) await chown(podFolder, 0, hostUid)
  await chmod(podFolder, hostUid === undefined ? 0o700 : 0o710)
  const root = instanceFolder(agent.folders, record.uid, container.name)
  await mkdir(root, { recursive: true, mode: 0o755 })
  await closeFolder(application)
  await removeTree(root)
  await mkdir(root, { mode: 0o755 })
  await mkdir(application, { mode: 0o700 })
  const volumes = { base: agent, folders: agent.folders, pod, record, allocatable: agent.allocatable }
  await ensureVolumes(volumes)
  await copyTree({ from: image.applicationFolder, to: application, link: hostUid !== undefined, hostUid })
  const working = container.workingDir ?? image.config.workingFolder
  if (working.startsWith('/app/')) {
    const folder = path.join(application, path.posix.normalize(working).slice('/app/'.length))
    await mkdir(folder, { recursive: true })
    if (hostUid !== undefined) await chown(folder, hostUid, hostUid)
  }
  await linkMounts(volumes, container)
  const temporary = temporaryVolume(pod, container)
  const temporaryFolder =
    temporary === undefined ? path.join(root, 'tmp') : volumeFolder(agent.folders, record.uid, temporary)
  await makeOwnFolder(temporaryFolder, hostUid, 0o700)
  if ((await lstat(application)).isDirectory()) await makeOwnFolder(application, hostUid, 0o755)
  return temporaryFolder
}

/** Takes the way into a folder from the Instance. */
async function closeFolder(folder: string): Promise<void> {
  const info = await lstat(folder).catch(() => undefined)
  if (info?.isDirectory() !== true) return
  await chmod(folder, 0o700)
  if (process.getuid?.() === 0) await chown(folder, 0, 0)
}
