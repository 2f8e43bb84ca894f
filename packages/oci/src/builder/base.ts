import { ociErrors } from '../errors.ts'
import { CONFIG_MAX_BYTES, parseImageConfig, type ImageConfig } from '../format/config.ts'
import type { Digest } from '../format/digest.ts'
import { parseManifest, type Descriptor, type ImageManifest, type Platform } from '../format/manifest.ts'
import { mediaTypes } from '../format/media-types.ts'
import { normalizePlatform, selectPlatform } from '../format/platform.ts'
import type { ImageSource } from './ports.ts'

/** Bases without content: the application runs with what the host has installed. Accepted by the process runtime only. */
export const declaredBases = ['host/node', 'host/python', 'host/java', 'host/static'] as const

export type DeclaredBase = (typeof declaredBases)[number]

export type BaseChoice =
  | { readonly kind: 'declared'; readonly name: DeclaredBase }
  | {
      readonly kind: 'image'
      /** As people know it; goes into the Image's annotations. */
      readonly name: string
      /** Tag or digest. A tag is read once, and what it stood for then is what is built on. */
      readonly reference: string
      readonly source: ImageSource
      /** The registry is the one that is built to, so its layers can be mounted rather than sent. */
      readonly isSameRegistry: boolean
    }

export type ResolvedBase = {
  readonly name: string
  /** Undefined for a declared base. */
  readonly digest: Digest | undefined
  readonly layers: readonly Descriptor[]
  readonly config: ImageConfig | undefined
}

/** The overlay file system takes no more. */
export const LAYERS_MAX = 127

/**
 * Reads the base's manifest and configuration, never its layers.
 * @throws {AppError} `image_base_invalid`, `image_platform_missing`, `manifest_invalid`, `image_config_invalid`, those of the source
 */
export async function resolveBase(
  choice: BaseChoice,
  platform: Platform,
  signal: AbortSignal | undefined,
): Promise<ResolvedBase> {
  if (choice.kind === 'declared')
    return { name: choice.name, digest: undefined, layers: [], config: undefined }
  const { digest, manifest } = await readBase(choice.source, choice.reference, platform, signal)
  const config = parseImageConfig(await choice.source.readBlob(manifest.config, CONFIG_MAX_BYTES, signal))
  checkBase(manifest, config, platform)
  return { name: choice.name, digest, layers: manifest.layers.map(inOciTypes), config }
}

async function readBase(
  source: ImageSource,
  reference: string,
  platform: Platform,
  signal: AbortSignal | undefined,
): Promise<{ readonly digest: Digest; readonly manifest: ImageManifest }> {
  const first = await source.getManifest(reference, signal)
  const parsed = parseManifest(first.bytes)
  if (parsed.kind === 'image') return { digest: first.digest, manifest: parsed }
  const child = await source.getManifest(selectPlatform(parsed, platform).digest, signal)
  const inner = parseManifest(child.bytes)
  if (inner.kind === 'image') return { digest: child.digest, manifest: inner }
  throw ociErrors.image_base_invalid({ reason: 'its index names another index' })
}

function checkBase(manifest: ImageManifest, config: ImageConfig, platform: Platform): void {
  const refuse = (reason: string): Error => ociErrors.image_base_invalid({ reason })
  if (config.diffIds.length !== manifest.layers.length)
    throw refuse(`it has ${manifest.layers.length} layers but ${config.diffIds.length} diff ids`)
  if (manifest.layers.length >= LAYERS_MAX) throw refuse(`it has ${manifest.layers.length} layers already`)
  const wanted = normalizePlatform(platform)
  const offered = normalizePlatform(config)
  if (offered.os !== wanted.os || offered.architecture !== wanted.architecture)
    throw refuse(
      `it is made for ${offered.os}/${offered.architecture}, not ${wanted.os}/${wanted.architecture}`,
    )
}

/** Docker's names for the same bytes; an OCI manifest must not mix both. */
function inOciTypes(layer: Descriptor): Descriptor {
  const types: Readonly<Record<string, string>> = {
    [mediaTypes.dockerLayer]: mediaTypes.layer,
    [mediaTypes.dockerLayerGzip]: mediaTypes.layerGzip,
    'application/vnd.docker.image.rootfs.diff.tar.zstd': mediaTypes.layerZstd,
  }
  return { ...layer, mediaType: types[layer.mediaType] ?? layer.mediaType }
}
