import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { systemClock, systemRandom } from '@slipway/kit'

import { algorithmOf, hexOf, type Digest } from '../format/digest.ts'
import { folderBlobs } from '../registry/folder-blobs.ts'
import type { BlobStore } from '../registry/ports.ts'
import { s3Blobs } from '../s3/blobs.ts'
import { s3Client, type S3Bucket } from '../s3/client.ts'

/** Where blobs of a test lie; plain data, so that another process can be told. */
export type BlobPlace = { readonly folder: string } | { readonly bucket: S3Bucket }

/** A node's own view of a place; several of them share the blobs. */
export function openPlace(place: BlobPlace): Promise<BlobStore> {
  if ('folder' in place) return folderBlobs(place.folder)
  return Promise.resolve(s3Blobs({ bucket: place.bucket, clock: systemClock, random: systemRandom }))
}

/** Replaces a blob behind the store's back. */
export async function overwriteBlob(place: BlobPlace, digest: Digest, content: Uint8Array): Promise<void> {
  const hex = hexOf(digest)
  const key = ['blobs', algorithmOf(digest), hex.slice(0, 2), hex]
  if ('folder' in place) {
    await writeFile(join(place.folder, ...key), content)
    return
  }
  const client = s3Client({ bucket: place.bucket, clock: systemClock, random: systemRandom })
  await client.ask({ method: 'PUT', key: key.join('/'), payload: content })
}

/** Makes the bucket itself, as an operator does before Slipway uses it. */
export async function createBucket(bucket: S3Bucket): Promise<void> {
  await s3Client({ bucket, clock: systemClock, random: systemRandom }).ask({ method: 'PUT', key: '' })
}
