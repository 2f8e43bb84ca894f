import type { RegistryClient } from '../client/client.ts'
import { digestOf, type Digest } from '../format/digest.ts'
import type { ImageSink, ImageSource } from './ports.ts'

export function clientSink(client: RegistryClient, repository: string): ImageSink {
  return {
    hasBlob: async (digest, signal) => (await client.findBlobSize(repository, digest, signal)) !== undefined,
    startBlob: (signal) => client.startBlob(repository, signal),
    mountBlob: ({ from, digest, signal }) => client.mountBlob({ repository, from, digest, signal }),
    async putManifest(manifest) {
      await client.putManifest({ repository, ...manifest })
    },
  }
}

export function clientSource(client: RegistryClient, repository: string): ImageSource {
  return {
    repository,
    getManifest: (reference, signal) => client.getManifest(repository, reference, signal),
    readBlob: (blob, sizeMaxBytes, signal) => client.readBlob(repository, blob, sizeMaxBytes, signal),
    openBlob: (blob, signal) => client.openBlob(repository, blob, signal),
  }
}

/** Sends bytes that are at hand, unless they are there already. */
export async function sendBytes(
  sink: ImageSink,
  bytes: Uint8Array,
  signal?: AbortSignal,
): Promise<{ readonly digest: Digest; readonly size: number }> {
  const digest = digestOf(bytes)
  if (!(await sink.hasBlob(digest, signal))) {
    const writer = await sink.startBlob(signal)
    try {
      await writer.write(bytes)
      await writer.commit(digest)
    } catch (cause) {
      await writer.abort()
      throw cause
    }
  }
  return { digest, size: bytes.length }
}
