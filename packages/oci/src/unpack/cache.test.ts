import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { digestOf, type Digest } from '../format/digest.ts'
import { mediaTypes } from '../format/media-types.ts'
import { clearUnfinished, dropCachedApplication, dropUnusedBlobs, listCachedApplications } from './cache.ts'

const OLD = new Date('2026-01-01T00:00:00Z')
const LATER = new Date('2026-01-02T00:00:00Z')
const always = (): boolean => true
let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-cache-'))
  for (const part of ['blobs/sha256', 'applications']) await mkdir(join(folder, part), { recursive: true })
})
afterEach(() => rm(folder, { recursive: true }))

async function putBlob(content: string, at = OLD): Promise<{ digest: Digest; size: number }> {
  const digest = digestOf(content)
  const file = join(folder, 'blobs', digest.replace(':', '/'))
  await writeFile(file, content)
  await utimes(file, at, at)
  return { digest, size: content.length }
}

/** An unpacked application of the layers given, as a pull leaves it. */
async function putApplication(...layers: string[]): Promise<Digest> {
  const parts = await Promise.all(
    layers.map(async (layer) => ({ mediaType: mediaTypes.layer, ...(await putBlob(layer)) })),
  )
  const config = { mediaType: mediaTypes.config, ...(await putBlob(`{"of":${JSON.stringify(layers)}}`)) }
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: parts }
  const { digest } = await putBlob(JSON.stringify(manifest))
  const application = join(folder, 'applications', digest.replace(':', '-'))
  await mkdir(application)
  await writeFile(join(application, 'main.js'), '')
  return digest
}

const blobs = (): Promise<string[]> => readdir(join(folder, 'blobs', 'sha256'))

test('a dropped application takes the blobs with it that no other one needs', async () => {
  const one = await putApplication('dependencies', 'one')
  const two = await putApplication('dependencies', 'two')
  expect((await listCachedApplications(folder)).map(({ digest }) => digest).toSorted()).toEqual(
    [one, two].toSorted(),
  )
  expect(await dropCachedApplication(folder, one, always)).toBe(true)
  // Its layer, its configuration and its manifest.
  expect(await blobs()).toHaveLength(7)
  expect(await dropUnusedBlobs(folder, LATER, always)).toBeGreaterThan(0)
  expect(await blobs()).toHaveLength(4)
  const [left] = await listCachedApplications(folder)
  expect(left?.blobs).toHaveLength(4)
  expect(await readdir(join(folder, 'applications'))).toHaveLength(1)
})

test('nothing goes against the last word of its owner, and nothing twice', async () => {
  const one = await putApplication('one')
  expect(await dropCachedApplication(folder, one, () => false)).toBe(false)
  expect(await listCachedApplications(folder)).toHaveLength(1)
  expect(await dropCachedApplication(folder, one, always)).toBe(true)
  expect(await dropCachedApplication(folder, one, always)).toBe(false)
  expect(await dropUnusedBlobs(folder, LATER, () => false)).toBe(0)
  expect(await blobs()).toHaveLength(3)
})

test('young blobs stay: their application may be on its way', async () => {
  await putBlob('being pulled', LATER)
  expect(await dropUnusedBlobs(folder, LATER, always)).toBe(0)
})

test('an index stays as long as one of its images does', async () => {
  const one = await putApplication('one')
  const manifest = { mediaType: mediaTypes.manifest, digest: one, size: 1 }
  await putBlob(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [manifest] }))
  expect(await dropUnusedBlobs(folder, LATER, always)).toBe(0)
  await dropCachedApplication(folder, one, always)
  await dropUnusedBlobs(folder, LATER, always)
  expect(await blobs()).toEqual([])
})

test('what was cut off is cleared away, and a cache that does not exist yet is empty', async () => {
  await mkdir(join(folder, 'applications', 'fresh-a', 'app'), { recursive: true })
  await mkdir(join(folder, 'blobs', 'fresh-b'))
  const one = await putApplication('one')
  await clearUnfinished(folder)
  expect(await readdir(join(folder, 'blobs'))).toEqual(['sha256'])
  expect(await readdir(join(folder, 'applications'))).toEqual([one.replace(':', '-')])
  await clearUnfinished(join(folder, 'nowhere'))
  expect(await listCachedApplications(join(folder, 'nowhere'))).toEqual([])
})
