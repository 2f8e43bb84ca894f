import type { BlobWriter } from '../client/blob-writer.ts'
import type { Digest } from '../format/digest.ts'
import type { ByteStream } from '../streams.ts'
import type { WrittenLayer } from './layer.ts'

/** Where an Image is built to: one repository, reached over the network or directly. */
export type ImageSink = {
  readonly hasBlob: (digest: Digest, signal?: AbortSignal) => Promise<boolean>
  readonly startBlob: (signal?: AbortSignal) => Promise<BlobWriter>
  /** Takes a blob over from another repository of the same registry; false means it has to be sent. */
  readonly mountBlob: (blob: {
    readonly from: string
    readonly digest: Digest
    readonly signal?: AbortSignal | undefined
  }) => Promise<boolean>
  /** All needed blobs are there by now. `reference` is a digest or a tag. */
  readonly putManifest: (manifest: {
    readonly reference: string
    readonly mediaType: string
    readonly bytes: Uint8Array
    readonly signal?: AbortSignal | undefined
  }) => Promise<void>
}

/** Where a base is read from. */
export type ImageSource = {
  readonly repository: string
  readonly getManifest: (
    reference: string,
    signal?: AbortSignal,
  ) => Promise<{ readonly digest: Digest; readonly bytes: Uint8Array }>
  readonly readBlob: (
    blob: { readonly digest: Digest; readonly size: number },
    sizeMaxBytes: number,
    signal?: AbortSignal,
  ) => Promise<Uint8Array>
  readonly openBlob: (
    blob: { readonly digest: Digest; readonly size: number },
    signal?: AbortSignal,
  ) => Promise<ByteStream>
}

/** Remembers layers by their content, because compressed bytes change with the compressor's release and content does not. */
export type LayerCache = {
  readonly find: (contentKey: string) => Promise<WrittenLayer | undefined>
  readonly store: (contentKey: string, layer: WrittenLayer) => Promise<void>
}
