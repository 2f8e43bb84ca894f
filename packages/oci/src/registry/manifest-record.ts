import type { Digest } from '../format/digest.ts'
import { artifactTypeOf, type Manifest } from '../format/manifest.ts'
import { isNonDistributable } from '../format/media-types.ts'
import type { ManifestRecord } from './ports.ts'

/** What the metadata needs to know of a manifest. */
export function manifestRecordOf(
  manifest: Manifest,
  place: { readonly repository: string; readonly digest: Digest; readonly bytes: Uint8Array },
): ManifestRecord {
  const needed =
    manifest.kind === 'image'
      ? [manifest.config, ...manifest.layers.filter((layer) => !isNonDistributable(layer.mediaType))]
      : []
  return {
    ...place,
    mediaType: manifest.mediaType,
    artifactType: artifactTypeOf(manifest),
    annotations: manifest.annotations,
    subject: manifest.subject?.digest,
    blobs: [...new Set(needed.map((descriptor) => descriptor.digest))],
    children: manifest.kind === 'index' ? manifest.manifests.map((child) => child.digest) : [],
  }
}
