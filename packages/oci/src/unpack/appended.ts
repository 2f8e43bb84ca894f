import { ociErrors } from '../errors.ts'
import type { ImageConfig } from '../format/config.ts'
import type { Digest } from '../format/digest.ts'
import type { Descriptor, ImageManifest } from '../format/manifest.ts'
import { BASE_DIGEST_KEY, BASE_LAYERS_KEY, BASE_NAME_KEY } from '../format/media-types.ts'

export type AppendedLayer = { readonly descriptor: Descriptor; readonly diffId: Digest }

/** What an Image stands on, as its builder recorded it. */
export type RecordedBase = {
  /** `host/node` or a reference such as `base/java:21`. */
  readonly name: string | undefined
  readonly digest: string | undefined
  readonly layerCount: number
}

/**
 * The base that the builder recorded, in the manifest's annotations or, where a registry or a copy dropped those, in the labels.
 * @throws {AppError} `image_base_invalid` when nothing is recorded, or when the record contradicts the layers
 */
export function recordedBaseOf(manifest: ImageManifest, config: ImageConfig): RecordedBase {
  const read = (key: string): string | undefined => manifest.annotations[key] ?? config.run.labels[key]
  const text = read(BASE_LAYERS_KEY)
  if (text === undefined)
    throw ociErrors.image_base_invalid({
      reason: 'it does not record which of its layers belong to its base',
    })
  const layerCount = Number(text)
  if (!/^[0-9]{1,5}$/.test(text) || layerCount > manifest.layers.length)
    throw ociErrors.image_base_invalid({ reason: 'it records more base layers than it has layers' })
  return { name: read(BASE_NAME_KEY), digest: read(BASE_DIGEST_KEY), layerCount }
}

/**
 * The layers above the recorded base, lowest first.
 * @throws {AppError} `image_base_invalid`, also when layers and diff ids do not go together
 */
export function appendedLayers(manifest: ImageManifest, config: ImageConfig): readonly AppendedLayer[] {
  const { layerCount } = recordedBaseOf(manifest, config)
  if (config.diffIds.length !== manifest.layers.length)
    throw ociErrors.image_base_invalid({
      reason: `it has ${manifest.layers.length} layers but ${config.diffIds.length} diff ids`,
    })
  return manifest.layers.slice(layerCount).map((descriptor, index) => {
    const diffId = config.diffIds[layerCount + index]
    if (diffId === undefined) throw ociErrors.image_base_invalid({ reason: 'a diff id is missing' })
    return { descriptor, diffId }
  })
}
