import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { systemCodeOf } from '@slipway/kit'
import { absent } from '@slipway/kit/files'

import type { RegistryClient } from '../client/client.ts'
import { ociErrors } from '../errors.ts'
import { CONFIG_MAX_BYTES, parseImageConfig, type ImageConfig } from '../format/config.ts'
import { algorithmOf, digestOf, hexOf, type Digest } from '../format/digest.ts'
import {
  MANIFEST_MAX_BYTES,
  parseManifest,
  type Descriptor,
  type ImageManifest,
  type Platform,
} from '../format/manifest.ts'
import type { ImageReference } from '../format/names.ts'
import { selectPlatform } from '../format/platform.ts'
import type { ByteStream } from '../streams.ts'
import { appendedLayers, recordedBaseOf, type RecordedBase } from './appended.ts'
import { unpackLayers, type UnpackLimits } from './unpack.ts'

export type FetchedApplication = {
  /** Digest of the image manifest; of the child that fits the platform when the reference named an index. */
  readonly digest: Digest
  readonly manifest: ImageManifest
  readonly config: ImageConfig
  readonly base: RecordedBase
  /** Holds what the Image has below `/app`. Shared by all Instances: copy or hardlink from it, never write to it. */
  readonly applicationFolder: string
}

/**
 * Pulls an Image's manifest, configuration and the layers above its base into a content cache and unpacks those layers, once per digest.
 * A reference by digest that is in the cache needs no network. Safe to call at the same time for the same Image.
 * @param options.folder - the cache: an OCI image layout plus `applications/<hex>`; made when missing
 * @throws {AppError} of the client; `image_base_invalid`, `layer_invalid`, `manifest_invalid`, `image_config_invalid`, `image_platform_missing`
 */
export async function fetchApplication(options: {
  readonly client: RegistryClient
  readonly reference: Pick<ImageReference, 'repository' | 'tag' | 'digest'>
  readonly folder: string
  readonly platform?: Platform | undefined
  readonly limits?: UnpackLimits | undefined
  readonly signal?: AbortSignal | undefined
}): Promise<FetchedApplication> {
  const { client, folder, signal } = options
  const { repository } = options.reference
  await prepareLayout(folder)
  const source: Source = { client, repository, folder, signal }
  const { digest, manifest } = await fetchImageManifest(source, options)
  const config = parseImageConfig(await cachedBytes(source, manifest.config, CONFIG_MAX_BYTES))
  const base = recordedBaseOf(manifest, config)
  const layers = appendedLayers(manifest, config)
  const applicationFolder = join(folder, 'applications', `${algorithmOf(digest)}-${hexOf(digest)}`)
  const fetched: FetchedApplication = { digest, manifest, config, base, applicationFolder }
  if (await exists(applicationFolder)) return fetched

  for (const layer of layers) await ensureCached(source, layer.descriptor)
  const fresh = await mkdtemp(join(folder, 'applications', 'fresh-'))
  try {
    const into = join(fresh, 'app')
    await mkdir(into, { mode: 0o755 })
    await unpackLayers({
      layers: layers.map((layer) => ({ ...layer, open: () => readCached(source, layer.descriptor.digest) })),
      into,
      limits: options.limits,
      signal,
    })
    await publish(into, applicationFolder)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
  return fetched
}

type Source = {
  readonly client: RegistryClient
  readonly repository: string
  readonly folder: string
  readonly signal: AbortSignal | undefined
}

async function fetchImageManifest(
  source: Source,
  options: {
    readonly reference: Pick<ImageReference, 'tag' | 'digest'>
    readonly platform?: Platform | undefined
  },
): Promise<{ readonly digest: Digest; readonly manifest: ImageManifest }> {
  const { tag, digest } = options.reference
  const first = await resolve(source, digest, tag)
  const parsed = parseManifest(await manifestBytes(source, first))
  if (parsed.kind === 'image') return { digest: first, manifest: parsed }
  const child = selectPlatform(
    parsed,
    options.platform ?? { os: process.platform, architecture: process.arch },
  )
  const inner = parseManifest(await manifestBytes(source, child.digest))
  if (inner.kind === 'image') return { digest: child.digest, manifest: inner }
  throw ociErrors.manifest_invalid({ reason: 'an index names another index for its platform' })
}

async function resolve(source: Source, digest: Digest | undefined, tag: string | undefined): Promise<Digest> {
  if (digest !== undefined) return digest
  const reference = tag ?? 'latest'
  const found = await source.client.resolveManifest(source.repository, reference, source.signal)
  if (found) return found.digest
  throw ociErrors.registry_content_missing({
    registry: source.client.host,
    what: `${source.repository}:${reference}`,
  })
}

async function manifestBytes(source: Source, digest: Digest): Promise<Uint8Array> {
  const cached = await readSmall(source, digest, MANIFEST_MAX_BYTES)
  if (cached) return cached
  const { bytes } = await source.client.getManifest(source.repository, digest, source.signal)
  await store(source.folder, digest, oneChunk(bytes))
  return bytes
}

async function cachedBytes(source: Source, blob: Descriptor, sizeMaxBytes: number): Promise<Uint8Array> {
  const cached = await readSmall(source, blob.digest, sizeMaxBytes)
  if (cached) return cached
  const bytes = await source.client.readBlob(source.repository, blob, sizeMaxBytes, source.signal)
  await store(source.folder, blob.digest, oneChunk(bytes))
  return bytes
}

/** The cached content, or undefined when there is none or it is not (any longer) what its name says. */
async function readSmall(source: Source, digest: Digest, sizeMaxBytes: number): Promise<Buffer | undefined> {
  const file = blobFile(source.folder, digest)
  const sizeBytes = await sizeOf(file)
  if (sizeBytes === undefined || sizeBytes > sizeMaxBytes) return undefined
  const bytes = await readFile(file).catch(absent)
  return bytes && digestOf(bytes, algorithmOf(digest)) === digest ? bytes : undefined
}

async function ensureCached(source: Source, blob: Descriptor): Promise<void> {
  const file = blobFile(source.folder, blob.digest)
  const cachedBytes = await sizeOf(file)
  if (cachedBytes === blob.size) return
  await store(
    source.folder,
    blob.digest,
    await source.client.openBlob(source.repository, blob, source.signal),
  )
}

function readCached(source: Source, digest: Digest): ByteStream {
  return createReadStream(blobFile(source.folder, digest))
}

/** Complete or absent: written beside its place and renamed. */
async function store(folder: string, digest: Digest, content: ByteStream): Promise<void> {
  const fresh = await mkdtemp(join(folder, 'blobs', 'fresh-'))
  try {
    const file = join(fresh, 'blob')
    {
      await using handle = await open(file, 'wx', 0o644)
      for await (const chunk of content) await handle.writeFile(chunk)
      await handle.sync()
    }
    await rename(file, blobFile(folder, digest))
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function publish(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (cause) {
    const code = systemCodeOf(cause)
    // Somebody else unpacked the same digest meanwhile, so the same content is there.
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw cause
  }
}

async function prepareLayout(folder: string): Promise<void> {
  for (const part of ['blobs/sha256', 'blobs/sha512', 'applications'])
    await mkdir(join(folder, part), { recursive: true, mode: 0o755 })
  try {
    await using handle = await open(join(folder, 'oci-layout'), 'wx', 0o644)
    await handle.writeFile('{"imageLayoutVersion":"1.0.0"}')
  } catch (cause) {
    if (systemCodeOf(cause) !== 'EEXIST') throw cause
  }
}

function blobFile(folder: string, digest: Digest): string {
  return join(folder, 'blobs', algorithmOf(digest), hexOf(digest))
}

async function exists(path: string): Promise<boolean> {
  return (await sizeOf(path)) !== undefined
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(absent))?.size
}
