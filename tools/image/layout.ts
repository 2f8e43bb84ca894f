/* An OCI image layout in a folder: what `skopeo copy oci:<folder>` and other tools read, without a registry. */
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { digestOf, hexOf, type BlobWriter, type Digest, type ImageSink, type ImageSource } from '@slipway/oci'

export type Layout = {
  readonly sink: ImageSink
  readonly source: ImageSource
  /** Names the Image that the folder is about. */
  readonly finish: (image: {
    readonly digest: Digest
    readonly mediaType: string
    readonly tag: string
  }) => Promise<void>
}

export async function openLayout(folder: string): Promise<Layout> {
  const blobs = join(folder, 'blobs', 'sha256')
  await mkdir(blobs, { recursive: true })
  const at = (digest: Digest): string => join(blobs, hexOf(digest))
  const sizeOf = async (digest: Digest): Promise<number | undefined> =>
    (await stat(at(digest)).catch(() => undefined))?.size

  async function startBlob(): Promise<BlobWriter> {
    const path = join(blobs, `unfinished-${randomUUID()}`)
    const file = await open(path, 'wx')
    const hash = createHash('sha256')
    return {
      async write(chunk) {
        hash.update(chunk)
        await file.write(chunk)
      },
      async commit(digest) {
        await file.close()
        if (`sha256:${hash.digest('hex')}` !== digest) throw new Error(`${digest} is not what was written`)
        await rename(path, at(digest))
      },
      async abort() {
        await file.close().catch(() => undefined)
        await rm(path, { force: true })
      },
    }
  }

  return {
    sink: {
      hasBlob: async (digest) => (await sizeOf(digest)) !== undefined,
      startBlob,
      // Base and Image share the folder, so what is mounted is there.
      mountBlob: async ({ digest }) => (await sizeOf(digest)) !== undefined,
      putManifest: ({ bytes }) => writeFile(at(digestOf(bytes)), bytes),
    },
    source: {
      repository: 'layout',
      async getManifest(reference) {
        const bytes = await readFile(join(blobs, reference.replace(/^sha256:/u, '')))
        return { digest: digestOf(bytes), bytes }
      },
      readBlob: ({ digest }) => readFile(at(digest)),
      openBlob: async ({ digest }) => createReadStream(at(digest)),
    },
    async finish({ digest, mediaType, tag }) {
      const annotations = { 'org.opencontainers.image.ref.name': tag }
      const size = await sizeOf(digest)
      const index = { schemaVersion: 2, manifests: [{ mediaType, digest, size, annotations }] }
      await writeFile(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
      await writeFile(join(folder, 'index.json'), JSON.stringify(index, null, 2))
    },
  }
}
