import { createHash } from 'node:crypto'

import { must, type Clock } from '@slipway/kit'

import { ociErrors } from '../errors.ts'
import { digestOf, type Digest } from '../format/digest.ts'
import type { Descriptor, Platform } from '../format/manifest.ts'
import { isNonDistributable, mediaTypes } from '../format/media-types.ts'
import { isTag } from '../format/names.ts'
import type { ByteStream } from '../streams.ts'
import { checkEntryPath, parentOf } from '../tar/paths.ts'
import { LAYERS_MAX, resolveBase, type BaseChoice, type ResolvedBase } from './base.ts'
import { churnGroupOf, churnGroups, type ChurnGroup, type PackageLayout } from './churn.ts'
import { baseRecord, checkSettings, imageConfigOf, type ImageSettings } from './image-config.ts'
import { writeLayer, type LayerFormat, type LayerMember, type WrittenLayer } from './layer.ts'
import { readPackage, type PackageEntry, type PackageLimits, type ReadPackage } from './package-reader.ts'
import type { ImageSink, LayerCache } from './ports.ts'
import { sendBytes } from './remote.ts'

/*
 * Append builder: base + application package + configuration = Image, without a daemon, root or a Dockerfile.
 *
 * 1. The base's manifest and configuration are read; a tag is pinned to the digest it stands for now.
 * 2. The package is spooled under limits, sorted, and split into layers by how rarely their files change.
 * 3. Each layer is hashed, compressed, hashed again and sent in one pass; one that the cache knows is not made again.
 * 4. The base's layers are mounted, or copied as they are where the registry cannot; they are never compressed again.
 * 5. Configuration, then the manifest by its digest, the tags last: whoever sees a tag sees a whole Image.
 *
 * Equal inputs give an equal digest: names are sorted by bytes, times fixed, owners 0, modes 0644 or 0755.
 */
export type ConfigurationFile = {
  /** Below `/app`. */
  readonly path: string
  readonly content: Uint8Array | string
  readonly isExecutable?: boolean | undefined
}

export type BuildOptions = {
  /** A tar, plain or as gzip or zstd; decided by content. */
  readonly archive: ByteStream
  readonly layout: PackageLayout
  readonly base: BaseChoice
  readonly settings: ImageSettings
  /** The last and smallest layer. */
  readonly configuration?: readonly ConfigurationFile[] | undefined
  readonly sink: ImageSink
  /** Set when everything else is done. */
  readonly tags: readonly string[]
  readonly platform?: Platform | undefined
  /** `zstd` by default; `gzip` for old clients. */
  readonly format?: LayerFormat | undefined
  readonly layerCache?: LayerCache | undefined
  /** Time of every file and of the Image; 1980-01-01 by default, the first that zip can say. Files of a static site keep their own. */
  readonly date?: Date | undefined
  /** Annotations of the manifest beside those of the base. */
  readonly annotations?: Readonly<Record<string, string>> | undefined
  readonly limits?: Partial<PackageLimits> | undefined
  /** Needs room for the unpacked package while the build runs. */
  readonly spoolFolder: string
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
}

export type BuiltLayer = WrittenLayer & {
  readonly group: ChurnGroup
  readonly fileCount: number
  /** Taken from the cache, not sent. */
  readonly isReused: boolean
}

export type BuiltImage = {
  readonly digest: Digest
  readonly mediaType: string
  readonly manifest: Uint8Array
  readonly config: Descriptor
  readonly base: { readonly name: string; readonly digest: Digest | undefined; readonly layerCount: number }
  /** Ours, lowest first. */
  readonly layers: readonly BuiltLayer[]
  /** Bytes a node without any layer has to pull. */
  readonly sizeBytes: number
  /** Milliseconds. */
  readonly timing: {
    readonly baseMs: number
    readonly packageMs: number
    readonly layersMs: number
    readonly publishMs: number
  }
}

const DATE = new Date('1980-01-01T00:00:00Z')
const CONFIGURATION_MAX_BYTES = 16 * 1024 * 1024
const ROOT = 'app'

/**
 * Builds an Image and pushes it. Nothing is visible before the last step; what a failed build leaves behind is collected.
 * @throws {AppError} `image_config_invalid`, `image_base_invalid`, `image_platform_missing`, `package_invalid`, `package_too_large`, those of sink and source
 */
export async function buildImage(options: BuildOptions): Promise<BuiltImage> {
  checkSettings(options.settings)
  for (const tag of options.tags)
    if (!isTag(tag)) throw ociErrors.image_reference_invalid({ value: tag.slice(0, 128) })
  const { clock, signal } = options
  const platform = options.platform ?? { os: 'linux', architecture: process.arch }
  const configuration = configurationMembers(options)
  const startMs = clock.monotonicMs()
  const base = await resolveBase(options.base, platform, signal)
  const baseMs = clock.monotonicMs()
  await using content = await readPackage(options)
  checkConfigurationPlaces(configuration, content)
  const packageMs = clock.monotonicMs()
  const layers = await writeLayers(options, content, configuration)
  if (base.layers.length + layers.length > LAYERS_MAX)
    throw ociErrors.image_base_invalid({
      reason: `it leaves no room: an Image has at most ${LAYERS_MAX} layers`,
    })
  const layersMs = clock.monotonicMs()
  await bringBase(options, base)
  const published = await publish(options, base, layers, platform)
  return {
    ...published,
    base: { name: base.name, digest: base.digest, layerCount: base.layers.length },
    layers,
    timing: {
      baseMs: baseMs - startMs,
      packageMs: packageMs - baseMs,
      layersMs: layersMs - packageMs,
      publishMs: clock.monotonicMs() - layersMs,
    },
  }
}

type LayerPlan = { readonly group: ChurnGroup; readonly members: readonly PlannedMember[] }
type PlannedMember = LayerMember & { readonly entry: PackageEntry | undefined }

async function writeLayers(
  options: BuildOptions,
  content: ReadPackage,
  configuration: readonly PlannedMember[],
): Promise<readonly BuiltLayer[]> {
  const plans: LayerPlan[] = [
    ...packageLayers(options, content),
    { group: 'configuration' as const, members: configuration },
  ].filter((plan) => plan.members.length > 0)
  const layers: BuiltLayer[] = []
  for (const plan of plans) {
    options.signal?.throwIfAborted()
    layers.push(await writePlanned(options, plan))
  }
  return layers
}

async function writePlanned(options: BuildOptions, plan: LayerPlan): Promise<BuiltLayer> {
  const { sink, layerCache, signal } = options
  const format = options.format ?? 'zstd'
  const members = withParents(plan.members, options.date ?? DATE)
  const about = {
    group: plan.group,
    fileCount: plan.members.filter((member) => member.kind === 'file').length,
  }
  const key = layerCache && (await contentKey(members, format))
  const known = key === undefined ? undefined : await layerCache?.find(key)
  if (known && (await sink.hasBlob(known.descriptor.digest, signal)))
    return { ...known, ...about, isReused: true }
  const written = await writeLayer(members, format, await sink.startBlob(signal))
  if (key !== undefined) await layerCache?.store(key, written)
  return { ...written, ...about, isReused: false }
}

function packageLayers(options: BuildOptions, content: ReadPackage): readonly LayerPlan[] {
  const fixedSeconds = Math.floor((options.date ?? DATE).getTime() / 1_000)
  const groups = new Map<ChurnGroup, PlannedMember[]>(churnGroups.map((group) => [group, []]))
  for (const entry of content.entries) {
    // An empty folder is content, too; others come with their files.
    const path = entry.kind === 'folder' ? `${entry.path}/` : entry.path
    must(groups.get(churnGroupOf(path, options.layout)), 'every group has a list').push({
      path: `${ROOT}/${entry.path}`,
      kind: entry.kind,
      isExecutable: entry.isExecutable,
      sizeBytes: entry.sizeBytes,
      // A site's own times are what browsers ask by.
      mtimeSeconds: options.layout === 'static' ? entry.mtimeSeconds : fixedSeconds,
      linkName: entry.linkName,
      content: () => content.contentOf(entry),
      entry,
    })
  }
  return [...groups].map(([group, members]) => ({ group, members }))
}

function configurationMembers(options: BuildOptions): readonly PlannedMember[] {
  const mtimeSeconds = Math.floor((options.date ?? DATE).getTime() / 1_000)
  let totalBytes = 0
  const members = (options.configuration ?? []).map((file): PlannedMember => {
    const checked = checkEntryPath(file.path)
    const reason = !checked.ok ? checked.reason : checked.path === '' ? 'a name is empty' : undefined
    if (!checked.ok || reason !== undefined)
      throw ociErrors.image_config_invalid({ reason: `a configuration file: ${reason ?? ''}` })
    const bytes = Buffer.from(file.content)
    totalBytes += bytes.length
    if (totalBytes > CONFIGURATION_MAX_BYTES)
      throw ociErrors.image_config_invalid({
        reason: `configuration files are larger than ${CONFIGURATION_MAX_BYTES} bytes`,
      })
    return {
      path: `${ROOT}/${checked.path}`,
      kind: 'file',
      isExecutable: file.isExecutable === true,
      sizeBytes: bytes.length,
      mtimeSeconds,
      linkName: '',
      content: () => onePiece(bytes),
      entry: undefined,
    }
  })
  return members.sort(byPath)
}

/** Files of ours must not be written through a link of the package, nor below one of its files. */
function checkConfigurationPlaces(configuration: readonly PlannedMember[], content: ReadPackage): void {
  const kinds = new Map(content.entries.map((entry) => [`${ROOT}/${entry.path}`, entry.kind]))
  for (const { path } of configuration) {
    const blocked = kinds.get(path) === 'folder' || kinds.get(path) === 'symlink'
    let parent = parentOf(path)
    while (parent !== '' && (kinds.get(parent) ?? 'folder') === 'folder') parent = parentOf(parent)
    if (blocked || parent !== '')
      throw ociErrors.image_config_invalid({
        reason: `the package leaves no place for the file ${path.slice(0, 200)}`,
      })
  }
}

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes
}

function byPath(a: TarPath, b: TarPath): number {
  return Buffer.compare(Buffer.from(a.path), Buffer.from(b.path))
}

type TarPath = { readonly path: string }

/** Adds the folders above the members, so that every layer is whole by itself; sorted by bytes. */
function withParents(members: readonly LayerMember[], date: Date): readonly LayerMember[] {
  const all = new Map(members.map((member) => [member.path, member]))
  const mtimeSeconds = Math.floor(date.getTime() / 1_000)
  for (const member of members) {
    for (let path = parentOf(member.path); path !== '' && !all.has(path); path = parentOf(path))
      all.set(path, {
        path,
        kind: 'folder',
        isExecutable: false,
        sizeBytes: 0,
        mtimeSeconds,
        linkName: '',
        content: () => onePiece(new Uint8Array(0)),
      })
  }
  return [...all.values()].sort(byPath)
}

/** Equal for layers that would unpack to the same files, whatever the compressor makes of them. */
async function contentKey(members: readonly LayerMember[], format: LayerFormat): Promise<string> {
  const hash = createHash('sha256').update(`slipway layer 1 ${format}\n`)
  for (const { content, ...member } of members) {
    hash.update(
      JSON.stringify([
        member.path,
        member.kind,
        member.isExecutable,
        member.sizeBytes,
        member.mtimeSeconds,
        member.linkName,
      ]),
    )
    for await (const chunk of content()) hash.update(chunk)
  }
  return hash.digest('hex')
}

async function bringBase(options: BuildOptions, base: ResolvedBase): Promise<void> {
  const { sink, signal } = options
  if (options.base.kind === 'declared') return
  const { source, isSameRegistry } = options.base
  for (const layer of base.layers) {
    if (isNonDistributable(layer.mediaType)) continue
    if (isSameRegistry && (await sink.mountBlob({ from: source.repository, digest: layer.digest, signal })))
      continue
    if (await sink.hasBlob(layer.digest, signal)) continue
    const writer = await sink.startBlob(signal)
    try {
      for await (const chunk of await source.openBlob(layer, signal)) await writer.write(chunk)
      await writer.commit(layer.digest)
    } catch (cause) {
      await writer.abort()
      throw cause
    }
  }
}

async function publish(
  options: BuildOptions,
  base: ResolvedBase,
  layers: readonly BuiltLayer[],
  platform: Platform,
): Promise<Pick<BuiltImage, 'digest' | 'mediaType' | 'manifest' | 'config' | 'sizeBytes'>> {
  const { sink, settings, signal } = options
  const titled = layers.map((layer) => ({ ...layer, title: layer.group }))
  const bytes = imageConfigOf({ base, settings, layers: titled, platform, date: options.date ?? DATE })
  const config = { mediaType: mediaTypes.config, ...(await sendBytes(sink, bytes, signal)) }
  const all = [...base.layers, ...layers.map((layer) => layer.descriptor)]
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config,
    layers: all.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    annotations: { ...options.annotations, ...baseRecord(base) },
  }
  const manifest = Buffer.from(JSON.stringify(document))
  const digest = digestOf(manifest)
  const { mediaType } = document
  await sink.putManifest({ reference: digest, mediaType, bytes: manifest, signal })
  for (const tag of options.tags)
    await sink.putManifest({ reference: tag, mediaType, bytes: manifest, signal })
  const sizeBytes = all.reduce((sum, layer) => sum + layer.size, config.size + manifest.length)
  return { digest, mediaType, manifest, config, sizeBytes }
}
