import { randomBytes } from 'node:crypto'

import { digestOf } from '../format/digest.ts'
import { openPlace, type BlobPlace } from './stored-blobs.ts'

/* A process that pushes blobs without end and reports each one that is confirmed, for a test that kills it. */
async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += 100_000) yield bytes.subarray(start, start + 100_000)
}

// Only this package's tests start it, with a place of theirs.
const blobs = await openPlace(JSON.parse(process.argv[2] ?? '') as BlobPlace)

async function push(lane: number): Promise<void> {
  for (let round = 0; process.connected; round += 1) {
    const bytes = randomBytes(1_500_000)
    const id = `upl_${process.pid}_${lane}_${round}`
    const digest = digestOf(bytes)
    const { sizeBytes } = await blobs.append({
      id,
      offsetBytes: 0,
      algorithm: 'sha256',
      content: pieces(bytes),
    })
    await blobs.publish({ id, sizeBytes, digest })
    process.send?.(digest)
  }
}

await Promise.all([1, 2, 3, 4].map(push))
