import { createHash } from 'node:crypto'

import { isRecord } from '@slipway/kit'

import { ociErrors } from '../errors.ts'
import { CONFIG_MAX_BYTES, parseImageConfig } from '../format/config.ts'
import { digestOf, finishDigest, type Digest } from '../format/digest.ts'
import { MANIFEST_MAX_BYTES, parseManifest, type Descriptor } from '../format/manifest.ts'
import { isNonDistributable, mediaTypes } from '../format/media-types.ts'
import { isTag } from '../format/names.ts'
import { parseStrictJson, StrictJsonError } from '../format/strict-json.ts'
import type { ByteStream } from '../streams.ts'
import { checkEntryPath, parentOf } from '../tar/paths.ts'
import { decompressedStream, readTar, type TarEntry, type TarLimits } from '../tar/read.ts'
import { receiveSavedLayer } from './saved-layer.ts'
import type { LayerFormat, WrittenLayer } from './layer.ts'
import type { ImageSink } from './ports.ts'
import { sendBytes } from './remote.ts'

/*
 * Upload of Images as a tar: an OCI layout, or what `docker save` writes (old and new). One pass: every large file is sent
 * to the sink as it streams by and is known by its digest afterwards; small JSON files are kept, because they say what the
 * others are. Nothing has a tag before everything is there; blobs that no manifest names in the end are collected.
 */
export type ImportLimits = {
  readonly entriesMax: number
  readonly totalMaxBytes: number
  readonly imagesMax: number
}

export const IMPORT_LIMITS: ImportLimits = {
  entriesMax: 20_000,
  totalMaxBytes: 32 * 1024 ** 3,
  imagesMax: 100,
}

export type ImportedImage = {
  readonly digest: Digest
  readonly mediaType: string
  /** What the archive calls it: `name:tag`, or a bare tag; may be empty. */
  readonly names: readonly string[]
  /** The tags that were set. */
  readonly tags: readonly string[]
}

export type ImportOptions = {
  readonly archive: ByteStream
  readonly sink: ImageSink
  /** Chooses the tags for each Image of the archive; none leaves it reachable by digest only. */
  readonly tagsFor: (image: {
    readonly digest: Digest
    readonly names: readonly string[]
  }) => readonly string[]
  /** For layers that come without compression; `zstd` by default. */
  readonly format?: LayerFormat | undefined
  readonly limits?: Partial<ImportLimits> | undefined
  readonly signal?: AbortSignal | undefined
}

/** What a file of the archive turned out to be. */
type Arrived = {
  readonly digest: Digest
  readonly size: number
  readonly json: Buffer | undefined
  /** For a layer that `docker save` named: what it is now in the registry. */
  readonly layer?: WrittenLayer
}

type Arrival = {
  readonly files: Map<string, Arrived>
  readonly links: Map<string, string>
  readonly byDigest: Map<Digest, Arrived>
}

const JSON_TOTAL_MAX_BYTES = 64 * 1024 * 1024
const NESTING_MAX = 4
/** `<id>/layer.tar` of old docker, `<hex>.tar.gz` of tools that imitate it. */
const SAVED_LAYER = /\.tar(?:\.gz)?$/

/**
 * Imports every Image of an archive, plain or as gzip or zstd.
 * @throws {AppError} `image_archive_invalid` with `reason` and `entry`, `manifest_invalid`, `image_config_invalid`, those of the sink
 */
export async function importArchive(options: ImportOptions): Promise<readonly ImportedImage[]> {
  const limits = { ...IMPORT_LIMITS, ...options.limits }
  const arrival = await receive(options, limits)
  const images = arrival.files.has('index.json')
    ? await importLayout(options, arrival, limits)
    : await importDockerSave(options, arrival, limits)
  if (images.length === 0) throw refuse('it holds no image')
  const imported: ImportedImage[] = []
  for (const image of images) {
    const tags = options.tagsFor({ digest: image.digest, names: image.names })
    for (const tag of tags) {
      if (!isTag(tag)) throw ociErrors.image_reference_invalid({ value: tag.slice(0, 128) })
      await putManifest(options, tag, image)
    }
    imported.push({ digest: image.digest, mediaType: image.mediaType, names: image.names, tags })
  }
  return imported
}

function refuse(reason: string, entry = ''): Error {
  return ociErrors.image_archive_invalid({
    reason,
    entry: entry.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 200),
  })
}

async function receive(options: ImportOptions, limits: ImportLimits): Promise<Arrival> {
  const arrival: Arrival = { files: new Map(), links: new Map(), byDigest: new Map() }
  const tarLimits: TarLimits = {
    entriesMax: limits.entriesMax,
    totalMaxBytes: limits.totalMaxBytes,
    refuse,
    tooLarge: (reason) => refuse(reason),
  }
  let jsonBytes = 0
  for await (const entry of readTar(decompressedStream(options.archive, refuse), tarLimits)) {
    options.signal?.throwIfAborted()
    const checked = checkEntryPath(entry.name)
    if (!checked.ok) throw refuse(checked.reason, entry.name)
    if (entry.kind === 'symlink' || entry.kind === 'hardlink') {
      arrival.links.set(checked.path, linkedPath(checked.path, entry))
      continue
    }
    if (entry.kind === 'folder') continue
    if (entry.kind !== 'file') throw refuse(`an entry is a ${entry.kind}`, entry.name)
    const arrived = SAVED_LAYER.test(checked.path)
      ? await receiveLayer(options, entry, limits.totalMaxBytes)
      : await receiveFile(options, entry)
    jsonBytes += arrived.json?.length ?? 0
    if (jsonBytes > JSON_TOTAL_MAX_BYTES) throw refuse('its JSON files are too large together')
    const named = /^blobs\/(sha256|sha512)\/([0-9a-f]+)$/.exec(checked.path)
    if (named && named[1] === 'sha256' && arrived.digest !== `sha256:${named[2] ?? ''}`)
      throw refuse('a blob is not what its name says', entry.name)
    arrival.files.set(checked.path, arrived)
    arrival.byDigest.set(arrived.digest, arrived)
  }
  return arrival
}

/** Old `docker save` links a layer that occurs twice to its first place. */
function linkedPath(path: string, entry: TarEntry): string {
  const target = entry.kind === 'hardlink' ? entry.linkName : `${parentOf(path)}/${entry.linkName}`
  const parts: string[] = []
  for (const part of target.split('/')) {
    if (part === '..' && parts.pop() === undefined)
      throw refuse('a link leads out of the archive', entry.name)
    if (part !== '' && part !== '.' && part !== '..') parts.push(part)
  }
  if (entry.linkName.startsWith('/')) throw refuse('a link leads out of the archive', entry.name)
  return parts.join('/')
}

/** Small JSON stays in memory and is sent when a manifest needs it; everything else goes to the sink at once. */
async function receiveFile(options: ImportOptions, entry: TarEntry): Promise<Arrived> {
  const head: Uint8Array[] = []
  const isSmall = entry.sizeBytes <= Math.min(MANIFEST_MAX_BYTES, CONFIG_MAX_BYTES)
  if (isSmall) {
    for await (const chunk of entry.content) head.push(chunk)
    const bytes = Buffer.concat(head)
    if (bytes[0] === 0x7b || bytes[0] === 0x5b)
      return { digest: digestOf(bytes), size: bytes.length, json: bytes }
    return { ...(await sendBytes(options.sink, bytes, options.signal)), json: undefined }
  }
  const writer = await options.sink.startBlob(options.signal)
  try {
    const hash = createHash('sha256')
    for await (const chunk of entry.content) {
      hash.update(chunk)
      await writer.write(chunk)
    }
    const digest = finishDigest(hash)
    await writer.commit(digest)
    return { digest, size: entry.sizeBytes, json: undefined }
  } catch (cause) {
    await writer.abort()
    throw cause
  }
}

async function receiveLayer(
  options: ImportOptions,
  entry: TarEntry,
  totalMaxBytes: number,
): Promise<Arrived> {
  const writer = await options.sink.startBlob(options.signal)
  const layer = await receiveSavedLayer(entry.content, {
    writer,
    format: options.format ?? 'zstd',
    totalMaxBytes,
    refuse: (reason) => refuse(reason, entry.name),
  })
  const { digest, size } = layer.descriptor
  return { digest, size, json: undefined, layer }
}

type ReadyImage = {
  readonly digest: Digest
  readonly mediaType: string
  readonly bytes: Uint8Array
  readonly names: readonly string[]
}

async function importLayout(
  options: ImportOptions,
  arrival: Arrival,
  limits: ImportLimits,
): Promise<readonly ReadyImage[]> {
  const index = parseManifest(jsonOf(arrival, 'index.json'))
  if (index.kind !== 'index') throw refuse('its index.json is no index')
  if (index.manifests.length > limits.imagesMax) throw refuse(`it holds more than ${limits.imagesMax} images`)
  const images: ReadyImage[] = []
  for (const entry of index.manifests) {
    const bytes = await importManifest(options, arrival, entry, 0)
    if (bytes === undefined) throw refuse('a manifest is missing', entry.digest)
    const names = ['io.containerd.image.name', 'org.opencontainers.image.ref.name']
      .map((key) => entry.annotations?.[key])
      .filter((name) => name !== undefined)
    images.push({ digest: entry.digest, mediaType: entry.mediaType, bytes, names })
  }
  return images
}

/** Sends a manifest and, before it, everything it names. Undefined when the archive does not hold it. */
async function importManifest(
  options: ImportOptions,
  arrival: Arrival,
  descriptor: Descriptor,
  depth: number,
): Promise<Uint8Array | undefined> {
  const bytes = arrival.byDigest.get(descriptor.digest)?.json
  if (bytes === undefined) return undefined
  if (depth > NESTING_MAX) throw refuse('its indexes are nested too deeply', descriptor.digest)
  const manifest = parseManifest(bytes, descriptor.mediaType)
  if (manifest.kind === 'index') {
    // An archive for one platform still names the others; a registry accepts that.
    for (const child of manifest.manifests) await importManifest(options, arrival, child, depth + 1)
  } else {
    for (const blob of [manifest.config, ...manifest.layers]) {
      if (!isNonDistributable(blob.mediaType)) await ensureSent(options, arrival, blob)
    }
  }
  await putManifest(options, descriptor.digest, { mediaType: manifest.mediaType, bytes })
  return bytes
}

async function ensureSent(options: ImportOptions, arrival: Arrival, blob: Descriptor): Promise<void> {
  const arrived = arrival.byDigest.get(blob.digest)
  if (arrived === undefined) throw refuse('a layer or configuration is missing', blob.digest)
  if (arrived.size !== blob.size) throw refuse('a layer or configuration has another size', blob.digest)
  if (arrived.json) await sendBytes(options.sink, arrived.json, options.signal)
}

async function putManifest(
  options: ImportOptions,
  reference: string,
  manifest: { readonly mediaType: string; readonly bytes: Uint8Array },
): Promise<void> {
  const { mediaType, bytes } = manifest
  await options.sink.putManifest({ reference, mediaType, bytes, signal: options.signal })
}

function jsonOf(arrival: Arrival, path: string): Buffer {
  const found = arrival.files.get(path)
  if (!found) throw refuse(`${path} is missing`)
  if (!found.json) throw refuse(`${path} is no JSON`)
  return found.json
}

async function importDockerSave(
  options: ImportOptions,
  arrival: Arrival,
  limits: ImportLimits,
): Promise<readonly ReadyImage[]> {
  const list = parseList(jsonOf(arrival, 'manifest.json'))
  if (list.length > limits.imagesMax) throw refuse(`it holds more than ${limits.imagesMax} images`)
  const images: ReadyImage[] = []
  for (const entry of list) images.push(await importSaved(options, arrival, entry))
  return images
}

type SavedImage = {
  readonly config: string
  readonly layers: readonly string[]
  readonly names: readonly string[]
}

function parseList(bytes: Buffer): readonly SavedImage[] {
  let list: unknown
  try {
    list = parseStrictJson(bytes, { sizeMaxBytes: MANIFEST_MAX_BYTES })
  } catch (cause) {
    if (cause instanceof StrictJsonError) throw refuse(`manifest.json: ${cause.message}`)
    throw cause
  }
  if (!Array.isArray(list)) throw refuse('manifest.json is no list')
  return list.map((entry: unknown) => {
    const fields = isRecord(entry) ? entry : {}
    const config = fields['Config']
    if (typeof config !== 'string') throw refuse('manifest.json names no configuration')
    return { config, layers: textsOf(fields['Layers']), names: textsOf(fields['RepoTags'] ?? []) }
  })
}

function textsOf(value: unknown): readonly string[] {
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string'))
    throw refuse('manifest.json has a list that is none')
  return value
}

async function importSaved(options: ImportOptions, arrival: Arrival, saved: SavedImage): Promise<ReadyImage> {
  const configBytes = jsonOf(arrival, saved.config)
  const config = parseImageConfig(configBytes)
  if (config.diffIds.length !== saved.layers.length)
    throw refuse(`an image has ${saved.layers.length} layers but ${config.diffIds.length} diff ids`)
  const layers = saved.layers.map((path, index) => {
    const arrived = arrival.files.get(path) ?? arrival.files.get(arrival.links.get(path) ?? '')
    if (!arrived) throw refuse('a layer is missing', path)
    if ((arrived.layer?.diffId ?? arrived.digest) !== config.diffIds[index])
      throw refuse('a layer is not what the configuration names', path)
    const { digest, size, json } = arrived
    return { json, ...(arrived.layer?.descriptor ?? { mediaType: mediaTypes.layer, digest, size }) }
  })
  for (const layer of layers) if (layer.json) await sendBytes(options.sink, layer.json, options.signal)
  const sent = await sendBytes(options.sink, configBytes, options.signal)
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, ...sent },
    layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
  }
  const bytes = Buffer.from(JSON.stringify(document))
  const digest = digestOf(bytes)
  await putManifest(options, digest, { mediaType: document.mediaType, bytes })
  return { digest, mediaType: document.mediaType, bytes, names: saved.names }
}
