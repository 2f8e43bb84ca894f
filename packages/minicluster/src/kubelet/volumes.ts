/*
 * Volumes of a pod are folders beside its containers; a mount is a symbolic link below the container's /app. Files of ConfigMaps,
 * Secrets and the downward API lie in a dated folder behind the link `..data`, which is swung in one step, as kubelets do it: a
 * reader sees the old or the new content, never a mixture.
 */
import {
  chown,
  chmod,
  lchown,
  lstat,
  mkdir,
  readlink,
  readdir,
  rename,
  rm,
  symlink,
  writeFile,
  readFile,
} from 'node:fs/promises'
import path from 'node:path'

import { canonicalJson, systemCodeOf } from '@slipway/kit'

import { fieldValue, resourceValue, type EnvironmentInput } from './environment.ts'
import { applicationFolder, volumeFolder, type Folders } from './folders.ts'
import { makeOwnFolder } from './instance-folder.ts'
import { SetupError, type Base, type Container, type Pod, type PodRecord, type PodSpec } from './model.ts'

type Volume = NonNullable<PodSpec['volumes']>[number]
type VolumeFile = { readonly path: string; readonly bytes: Buffer; readonly mode: number }
type Item = { readonly key: string; readonly path: string; readonly mode?: number }

const FILES_MAX_BYTES = 4 * 1024 * 1024
const DEFAULT_MODE = 0o644

export type VolumeInput = {
  readonly base: Base
  readonly folders: Folders
  readonly pod: Pod
  readonly record: PodRecord
  readonly allocatable: EnvironmentInput['allocatable']
}

/** The default token volume that admission adds; Instances reach no API, so it is left out in silence. */
function isTokenVolume(volume: Volume | undefined): boolean {
  return volume?.projected?.sources?.some((source) => source.serviceAccountToken !== undefined) ?? false
}

/**
 * Mounts that become links; the one allowed outside /app is an emptyDir at /tmp, which becomes TMPDIR.
 * @throws {SetupError} for a mount this runtime cannot give
 */
export function planMounts(
  pod: Pod,
  container: Container,
): readonly { readonly volume: string; readonly below: string; readonly subPath: string }[] {
  const volumes = new Map((pod.spec?.volumes ?? []).map((volume) => [volume.name, volume]))
  const mounts = (container.volumeMounts ?? []).flatMap((mount) => {
    const volume = volumes.get(mount.name)
    if (isTokenVolume(volume) || isTemporary(volume, mount.mountPath)) return []
    const target = path.posix.normalize(mount.mountPath).replace(/\/$/, '')
    if (target !== '/app' && !target.startsWith('/app/'))
      throw mountError(
        `mount ${mount.mountPath} of volume "${mount.name}" is refused: the process runtime mounts only below /app`,
      )
    const subPath = mount.subPath ?? ''
    if (mount.subPathExpr !== undefined)
      throw mountError('subPathExpr is not supported by the process runtime')
    if (path.posix.isAbsolute(subPath) || subPath.split('/').includes('..'))
      throw mountError(`subPath "${subPath}" must lie inside the volume`)
    return [{ volume: mount.name, below: target.slice('/app'.length).replace(/^\//, ''), subPath }]
  })
  const nested = mounts.find((mount) =>
    mounts.some(
      (other) => other !== mount && (other.below === '' || `${mount.below}/`.startsWith(`${other.below}/`)),
    ),
  )
  if (nested)
    throw mountError(
      `mount /app/${nested.below} lies below another mount, which the process runtime does not offer`,
    )
  return mounts
}

function isTemporary(volume: Volume | undefined, mountPath: string): boolean {
  return volume?.emptyDir !== undefined && /^\/tmp\/?$/.test(mountPath)
}

/** The volume that serves as /tmp of a container, if one is mounted there. */
export function temporaryVolume(pod: Pod, container: Container): string | undefined {
  const volumes = new Map((pod.spec?.volumes ?? []).map((volume) => [volume.name, volume]))
  return container.volumeMounts?.find((mount) => isTemporary(volumes.get(mount.name), mount.mountPath))?.name
}

function mountError(message: string): SetupError {
  return new SetupError('ContainerCreating', message, 'FailedMount')
}

/** Makes or refreshes the folders of all volumes that the pod's containers mount. */
export async function ensureVolumes(input: VolumeInput): Promise<void> {
  for (const volume of input.pod.spec?.volumes ?? []) await ensureVolume(input, volume)
}

async function ensureVolume(input: VolumeInput, volume: Volume): Promise<void> {
  const { folders, record } = input
  const folder = volumeFolder(folders, record.uid, volume.name)
  if (isTokenVolume(volume)) return
  if (volume.emptyDir) {
    await makeOwnFolder(folder, record.hostUid, 0o777)
    return
  }
  const files = filesOf(input, volume)
  if (files === undefined)
    throw mountError(
      `volume "${volume.name}" has a type that the process runtime does not offer; it has emptyDir, configMap, secret, projected and downwardAPI`,
    )
  await publishFiles(folder, files, record.hostUid)
}

/** Writes changed ConfigMaps and Secrets into the volumes of a running pod. */
export async function refreshVolumes(input: VolumeInput): Promise<void> {
  for (const volume of input.pod.spec?.volumes ?? []) {
    if (volume.emptyDir || isTokenVolume(volume)) continue
    try {
      await ensureVolume(input, volume)
    } catch (error) {
      // A deleted ConfigMap leaves its last content in place, as on every kubelet.
      if (!(error instanceof SetupError)) throw error
    }
  }
}

function filesOf(input: VolumeInput, volume: Volume): readonly VolumeFile[] | undefined {
  const { configMap, secret, downwardAPI, projected } = volume
  if (configMap)
    return objectFiles(input, 'configmaps', configMap.name ?? '', {
      ...configMap,
      mode: configMap.defaultMode,
    })
  if (secret)
    return objectFiles(input, 'secrets', secret.secretName ?? '', { ...secret, mode: secret.defaultMode })
  if (downwardAPI) return downwardFiles(input, downwardAPI.items ?? [], downwardAPI.defaultMode)
  if (!projected) return undefined
  return (projected.sources ?? []).flatMap((source) => {
    const mode = projected.defaultMode
    if (source.configMap)
      return objectFiles(input, 'configmaps', source.configMap.name ?? '', { ...source.configMap, mode })
    if (source.secret)
      return objectFiles(input, 'secrets', source.secret.name ?? '', { ...source.secret, mode })
    if (source.downwardAPI) return downwardFiles(input, source.downwardAPI.items ?? [], mode)
    return []
  })
}

function objectFiles(
  input: VolumeInput,
  resource: 'configmaps' | 'secrets',
  name: string,
  options: {
    readonly items?: readonly Item[]
    readonly optional?: boolean
    readonly mode?: number | undefined
  },
): readonly VolumeFile[] {
  const { namespace } = input.pod.metadata
  const label = resource === 'secrets' ? 'secret' : 'configmap'
  const data = resource === 'secrets' ? secretBytes(input, name) : configMapBytes(input, name)
  if (!data) {
    if (options.optional === true) return []
    throw mountError(`MountVolume.SetUp failed: ${label} "${name}" not found in namespace ${namespace}`)
  }
  const items = options.items ?? [...data.keys()].map((key): Item => ({ key, path: key }))
  return items.flatMap((item) => {
    const bytes = data.get(item.key)
    if (bytes === undefined && options.optional === true) return []
    if (bytes === undefined) throw mountError(`${label} "${name}" references non-existent key: ${item.key}`)
    return [{ path: safePath(item.path), bytes, mode: item.mode ?? options.mode ?? DEFAULT_MODE }]
  })
}

function configMapBytes(input: VolumeInput, name: string): ReadonlyMap<string, Buffer> | undefined {
  const found = input.base.registry.get('configmaps', input.pod.metadata.namespace, name)
  if (!found) return undefined
  const texts = Object.entries(found.data ?? {}).map(
    ([key, value]) => [key, Buffer.from(value, 'utf8')] as const,
  )
  const binary = Object.entries(found.binaryData ?? {}).map(
    ([key, value]) => [key, Buffer.from(value, 'base64')] as const,
  )
  return new Map([...texts, ...binary])
}

function secretBytes(input: VolumeInput, name: string): ReadonlyMap<string, Buffer> | undefined {
  const found = input.base.registry.get('secrets', input.pod.metadata.namespace, name)
  if (!found) return undefined
  return new Map(Object.entries(found.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]))
}

type DownwardItem = {
  readonly path: string
  readonly mode?: number
  readonly fieldRef?: { readonly fieldPath: string }
  readonly resourceFieldRef?: {
    readonly containerName?: string
    readonly resource: string
    readonly divisor?: string
  }
}

function downwardFiles(
  input: VolumeInput,
  items: readonly DownwardItem[],
  mode: number | undefined,
): readonly VolumeFile[] {
  return items.map((item) => {
    const container = input.pod.spec?.containers.find(
      ({ name }) => name === item.resourceFieldRef?.containerName,
    )
    const text = item.fieldRef
      ? fieldValue(input.pod, item.fieldRef.fieldPath, input.record.podIp)
      : item.resourceFieldRef && container
        ? resourceValue(container, item.resourceFieldRef, input.allocatable)
        : ''
    return { path: safePath(item.path), bytes: Buffer.from(text), mode: item.mode ?? mode ?? DEFAULT_MODE }
  })
}

function safePath(text: string): string {
  const parts = text.split('/')
  if (
    text === '' ||
    text.length > 1_024 ||
    path.posix.isAbsolute(text) ||
    parts.includes('..') ||
    parts[0]?.startsWith('..')
  )
    throw mountError(`path "${text.slice(0, 128)}" of a volume item is not allowed`)
  return text
}

/** Publishes files behind `..data`; nothing is written when nothing changed. */
async function publishFiles(
  folder: string,
  files: readonly VolumeFile[],
  hostUid: number | undefined,
): Promise<void> {
  const totalBytes = files.reduce((sum, file) => sum + file.bytes.length, 0)
  if (totalBytes > FILES_MAX_BYTES)
    throw mountError(`a volume's files are larger than ${FILES_MAX_BYTES} bytes`)
  const digest = canonicalJson(files.map((file) => [file.path, file.mode, file.bytes.toString('base64')]))
  const current = await readlink(path.join(folder, '..data')).catch(() => undefined)
  const stampFile = current === undefined ? undefined : path.join(folder, current, '..stamp')
  if (stampFile !== undefined && (await readFile(stampFile, 'utf8').catch(() => undefined)) === digest) return
  await mkdir(folder, { recursive: true, mode: 0o755 })
  const next = `..v${Number(/^\.\.v([0-9]+)$/.exec(current ?? '')?.[1] ?? '0') + 1}`
  const into = path.join(folder, next)
  await rm(into, { recursive: true, force: true })
  await mkdir(into, { mode: 0o755 })
  for (const file of files) {
    const target = path.join(into, file.path)
    await mkdir(path.dirname(target), { recursive: true, mode: 0o755 })
    await writeFile(target, file.bytes)
    await chmod(target, file.mode & 0o777)
    if (hostUid !== undefined) await chown(target, hostUid, hostUid)
  }
  await writeFile(path.join(into, '..stamp'), digest, { mode: 0o600 })
  await rm(path.join(folder, '..data_new'), { force: true })
  await symlink(next, path.join(folder, '..data_new'))
  await rename(path.join(folder, '..data_new'), path.join(folder, '..data'))
  await linkNames(folder, new Set(files.map((file) => file.path.split('/')[0] ?? '')))
  if (current !== undefined) await rm(path.join(folder, current), { recursive: true, force: true })
}

async function linkNames(folder: string, names: ReadonlySet<string>): Promise<void> {
  const present = new Set((await readdir(folder)).filter((name) => !name.startsWith('..')))
  for (const name of present) if (!names.has(name)) await rm(path.join(folder, name), { force: true })
  for (const name of names)
    if (!present.has(name)) await symlink(path.join('..data', name), path.join(folder, name))
}

/** Puts the links of a container's mounts into its folder; what the Image has there is hidden. */
export async function linkMounts(input: VolumeInput, container: Container): Promise<void> {
  const root = applicationFolder(input.folders, input.record.uid, container.name)
  for (const mount of planMounts(input.pod, container)) {
    const volume = volumeFolder(input.folders, input.record.uid, mount.volume)
    const source = path.join(volume, mount.subPath)
    const isEmptyDir = input.pod.spec?.volumes?.some(
      ({ name, emptyDir }) => name === mount.volume && emptyDir,
    )
    if (isEmptyDir) await makeSubPath(volume, mount.subPath, input.record.hostUid)
    const target = path.join(root, mount.below)
    try {
      await mkdir(path.dirname(target), { recursive: true })
      await rm(target, { recursive: true, force: true })
      await symlink(source, target)
    } catch (error) {
      throw mountError(
        `cannot mount volume "${mount.volume}" at /app/${mount.below}: ${systemCodeOf(error) ?? 'unknown error'}`,
      )
    }
  }
}

/** Makes the folders of a subPath one by one; a link that the Instance put in the way is refused, not followed. */
async function makeSubPath(volume: string, subPath: string, hostUid: number | undefined): Promise<void> {
  let folder = volume
  for (const part of subPath.split('/').filter((name) => name !== '' && name !== '.')) {
    folder = path.join(folder, part)
    const info = await lstat(folder).catch(() => undefined)
    if (info?.isSymbolicLink()) throw mountError(`subPath "${subPath}" leads through a symbolic link`)
    if (info) continue
    await mkdir(folder, { mode: 0o755 })
    if (hostUid !== undefined) await lchown(folder, hostUid, hostUid)
  }
}
