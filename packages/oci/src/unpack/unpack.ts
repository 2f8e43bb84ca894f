import { constants } from 'node:fs'
import { lstat, mkdir, open, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'

import { must } from '@slipway/kit'

import { ociErrors } from '../errors.ts'
import { layerCompressionOf } from '../format/media-types.ts'
import { verifiedStream, type ByteStream } from '../streams.ts'
import { baseNameOf, checkEntryPath, leavesRoot, parentOf } from '../tar/paths.ts'
import { inflate, readTar, type TarEntry, type TarLimits } from '../tar/read.ts'
import type { AppendedLayer } from './appended.ts'

/*
 * Unpacks the layers above the base into a folder that stands for /app. The folder must be new and empty, and nobody else
 * may write there meanwhile: then the model of what was written is the truth, no link is followed on the disk, and a path
 * through a link is refused before the disk is asked.
 */
export type UnpackLimits = {
  readonly entriesMax: number
  /** Bytes of all layers together, unpacked. */
  readonly totalMaxBytes: number
}

export const UNPACK_LIMITS: UnpackLimits = { entriesMax: 500_000, totalMaxBytes: 8 * 1024 ** 3 }

export type LayerToUnpack = AppendedLayer & { readonly open: () => Promise<ByteStream> | ByteStream }

export type Unpacked = { readonly fileCount: number; readonly sizeBytes: number }

type Node = {
  readonly kind: 'file' | 'folder' | 'symlink'
  readonly layer: number
  readonly target?: string
}

const WHITEOUT = '.wh.'
const OPAQUE = '.wh..wh..opq'
const ROOT = 'app'

/**
 * Writes regular files, folders and links that stay inside; honours whiteouts; checks every layer's digest and diff id.
 * Modes become 0644 or 0755; owner is the caller. On an error `into` holds a part and must be thrown away.
 * @param into - an existing empty folder, which becomes `/app`
 * @throws {AppError} `layer_invalid` with `reason` and `entry`
 */
export async function unpackLayers(options: {
  readonly layers: readonly LayerToUnpack[]
  readonly into: string
  readonly limits?: UnpackLimits | undefined
  readonly signal?: AbortSignal | undefined
}): Promise<Unpacked> {
  const nodes = new Map<string, Node>([['', { kind: 'folder', layer: -1 }]])
  const limits = options.limits ?? UNPACK_LIMITS
  let sizeBytes = 0
  for (const [index, layer] of options.layers.entries()) {
    const target = { nodes, into: options.into, layer: index }
    const tarLimits = tarLimitsOf(limits, sizeBytes)
    for await (const entry of readTar(plainTar(layer), tarLimits)) {
      options.signal?.throwIfAborted()
      sizeBytes += entry.sizeBytes
      await applyEntry(target, entry)
      if (nodes.size > limits.entriesMax)
        throw refuse(`the layers hold more than ${limits.entriesMax} entries`)
    }
  }
  checkLinks(nodes)
  const fileCount = [...nodes.values()].filter((node) => node.kind === 'file').length
  return { fileCount, sizeBytes }
}

function refuse(reason: string, entry = ''): Error {
  return ociErrors.layer_invalid({ reason, entry: entry.slice(0, 200) })
}

function tarLimitsOf(limits: UnpackLimits, usedBytes: number): TarLimits {
  return {
    entriesMax: limits.entriesMax,
    totalMaxBytes: Math.max(0, limits.totalMaxBytes - usedBytes),
    refuse,
    tooLarge: (reason) => refuse(reason),
  }
}

async function* plainTar(layer: LayerToUnpack): AsyncGenerator<Uint8Array> {
  const compression = layerCompressionOf(layer.descriptor.mediaType)
  if (compression === undefined) throw refuse(`a layer's type is ${layer.descriptor.mediaType.slice(0, 100)}`)
  const stored = verifiedStream(await layer.open(), layer.descriptor, (reason) =>
    refuse(`a layer: ${reason}`),
  )
  const plain = compression === 'none' ? stored : inflate(stored, compression, refuse)
  yield* verifiedStream(plain, { digest: layer.diffId, size: undefined }, () =>
    refuse('a layer is not what its diff id names'),
  )
}

type Target = { readonly nodes: Map<string, Node>; readonly into: string; readonly layer: number }

async function applyEntry(target: Target, entry: TarEntry): Promise<void> {
  const checked = checkEntryPath(entry.name)
  if (!checked.ok) throw refuse(checked.reason, entry.name)
  if (checked.path === '' || checked.path === ROOT) {
    if (entry.kind !== 'folder') throw refuse('the application folder is not a folder', entry.name)
    return
  }
  if (!checked.path.startsWith(`${ROOT}/`)) throw refuse(`an entry lies outside /${ROOT}`, entry.name)
  const path = checked.path.slice(ROOT.length + 1)
  await ensureFolder(target, parentOf(path), entry.name)
  const name = baseNameOf(path)
  if (name === OPAQUE) await removeChildren(target, parentOf(path))
  else if (name.startsWith(WHITEOUT)) await removeWhitedOut(target, path, entry.name)
  else await writeEntry(target, path, entry)
}

async function writeEntry(target: Target, path: string, entry: TarEntry): Promise<void> {
  const old = target.nodes.get(path)
  if (entry.kind === 'folder') {
    if (old?.kind === 'folder') return
    if (old) await removeTree(target, path)
    await makeFolder(target, path)
    return
  }
  if (entry.kind !== 'file' && entry.kind !== 'symlink')
    throw refuse(`an entry is a ${entry.kind}; only files, folders and links inside are unpacked`, entry.name)
  if (old) await removeTree(target, path)
  if (entry.kind === 'symlink') {
    if (entry.linkName === '' || entry.linkName.startsWith('/'))
      throw refuse('a link is empty or absolute', entry.name)
    target.nodes.set(path, { kind: 'symlink', layer: target.layer, target: entry.linkName })
    // A link may lead out only by way of others that come later; all are checked at the end, before anyone follows one.
    await symlink(entry.linkName, join(target.into, path))
    return
  }
  target.nodes.set(path, { kind: 'file', layer: target.layer })
  await writeFile(join(target.into, path), entry)
}

async function writeFile(file: string, entry: TarEntry): Promise<void> {
  const mode = (entry.mode & 0o111) === 0 ? 0o644 : 0o755
  await using handle = await open(
    file,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    mode,
  )
  for await (const chunk of entry.content) await handle.writeFile(chunk)
  // The process's umask has had its say in open.
  await handle.chmod(mode)
  await handle.utimes(entry.mtimeSeconds, entry.mtimeSeconds)
}

async function ensureFolder(target: Target, path: string, entryName: string): Promise<void> {
  const node = target.nodes.get(path)
  if (node?.kind === 'folder') return
  if (node?.kind === 'symlink') throw refuse('an entry lies behind a link', entryName)
  if (node?.kind === 'file') throw refuse('an entry lies below a file', entryName)
  await ensureFolder(target, parentOf(path), entryName)
  await makeFolder(target, path)
}

async function makeFolder(target: Target, path: string): Promise<void> {
  target.nodes.set(path, { kind: 'folder', layer: target.layer })
  const folder = join(target.into, path)
  await mkdir(folder, { mode: 0o755 })
}

async function removeWhitedOut(target: Target, path: string, entryName: string): Promise<void> {
  const name = baseNameOf(path).slice(WHITEOUT.length)
  if (name === '' || name === '.' || name === '..') throw refuse('a whiteout names nothing', entryName)
  const parent = parentOf(path)
  const hidden = parent === '' ? name : `${parent}/${name}`
  // A whiteout speaks of lower layers; what this layer itself brings stays.
  const node = target.nodes.get(hidden)
  if (node && node.layer < target.layer) await removeTree(target, hidden)
}

/** Hides what lower layers put into the folder, wherever in its own layer the mark stands. */
async function removeChildren(target: Target, folder: string): Promise<void> {
  const prefix = folder === '' ? '' : `${folder}/`
  const children = [...target.nodes.keys()].filter(
    (path) => path !== '' && path.startsWith(prefix) && !path.slice(prefix.length).includes('/'),
  )
  for (const child of children) await removeLower(target, child)
}

async function removeLower(target: Target, path: string): Promise<void> {
  const below = [...target.nodes.entries()].filter(([name]) => name.startsWith(`${path}/`))
  const keepsSome = below.some(([, node]) => node.layer === target.layer)
  const node = must(target.nodes.get(path), 'a child was listed')
  if (node.layer < target.layer && !keepsSome) {
    await removeTree(target, path)
    return
  }
  for (const [name, inner] of below) {
    if (inner.layer < target.layer && inner.kind !== 'folder') await removeTree(target, name)
  }
}

async function removeTree(target: Target, path: string): Promise<void> {
  const node = must(target.nodes.get(path), 'only what was written is removed')
  if (node.kind === 'folder') {
    for (const name of target.nodes.keys()) if (name.startsWith(`${path}/`)) target.nodes.delete(name)
  }
  target.nodes.delete(path)
  const place = join(target.into, path)
  const found = await lstat(place)
  await rm(place, { recursive: found.isDirectory(), force: false })
}

function checkLinks(nodes: ReadonlyMap<string, Node>): void {
  for (const [path, node] of nodes) {
    if (node.kind === 'symlink' && leavesRoot(path, (place) => nodes.get(place)?.target))
      throw refuse('a link leads out of the application folder', path)
  }
}
