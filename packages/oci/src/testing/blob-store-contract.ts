import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'

import { manualClock, systemClock } from '@slipway/kit'
import { describe, expect, test } from 'vitest'

import { digestOf, type Digest } from '../format/digest.ts'
import { collectGarbage, dropStaleUploads } from '../registry/collect.ts'
import type { BlobStore } from '../registry/ports.ts'
import { scrubBlobs } from '../registry/scrub.ts'
import type { ByteStream } from '../streams.ts'
import { ask, CONFIG, imageOf, pushBlob, putManifest, startUpload } from './ask.ts'
import { memoryMetadata } from './memory-metadata.ts'
import { openPlace, overwriteBlob, type BlobPlace } from './stored-blobs.ts'
import { testRegistry } from './world.ts'

/*
 * What every store of blobs must do: by itself, below a registry, and when the process that uses it is killed. `make` gives an
 * empty place; several nodes share it in most of these tests.
 */
type Make = () => Promise<BlobPlace>

const MIB = 1024 * 1024
const CHILD = new URL('./pushing-child.ts', import.meta.url)

export function describeBlobStore(name: string, make: Make): void {
  describe(`blobs: ${name}`, () => {
    uploadContract(make)
    brokenContract(make)
    blobContract(make)
    registryContract(make)
    crashContract(make)
  })
}

async function* inPieces(bytes: Uint8Array, sizeBytes = 700_000): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += sizeBytes) yield bytes.subarray(start, start + sizeBytes)
}

async function* breakingOff(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield* inPieces(bytes)
  throw new Error('the line is cut')
}

function append(store: BlobStore, id: string, offsetBytes: number, content: ByteStream | Uint8Array) {
  const stream = content instanceof Uint8Array ? inPieces(content) : content
  return store.append({ id, offsetBytes, algorithm: 'sha256', content: stream })
}

async function pushTo(store: BlobStore, bytes: Uint8Array, id: string): Promise<Digest> {
  const digest = digestOf(bytes)
  const { sizeBytes } = await append(store, id, 0, bytes)
  expect(await store.publish({ id, sizeBytes, digest })).toBe('published')
  return digest
}

async function read(
  store: BlobStore,
  digest: Digest,
  range?: { startBytes: number; endBytes: number },
): Promise<Buffer | undefined> {
  const stream = await store.open(digest, range)
  return stream && Buffer.from(await new Response(stream).arrayBuffer())
}

async function listed(store: BlobStore, after?: Digest): Promise<Digest[]> {
  const digests: Digest[] = []
  for await (const digest of store.list(after)) digests.push(digest)
  return digests
}

function uploadContract(make: Make): void {
  test.each([0, 1, 3 * MIB, 8 * MIB, 21 * MIB + 5])(
    'a blob of %i bytes comes back as it was sent',
    async (size) => {
      const store = await openPlace(await make())
      const bytes = randomBytes(size)
      const digest = await pushTo(store, bytes, 'upl_00000001')
      expect(await store.findSize(digest)).toBe(size)
      expect((await read(store, digest))?.equals(bytes)).toBe(true)
    },
  )

  test('a part of a blob is read without the rest', async () => {
    const store = await openPlace(await make())
    const bytes = randomBytes(9 * MIB)
    const digest = await pushTo(store, bytes, 'upl_00000001')
    const range = { startBytes: 8 * MIB - 2, endBytes: 8 * MIB + 2 }
    expect((await read(store, digest, range))?.equals(bytes.subarray(8 * MIB - 2, 8 * MIB + 3))).toBe(true)
  })

  test('a reader who goes away early hurts nobody', async () => {
    const store = await openPlace(await make())
    const digest = await pushTo(store, randomBytes(9 * MIB), 'upl_00000001')
    const stream = await store.open(digest)
    const reader = stream?.getReader()
    await reader?.read()
    await reader?.cancel()
    expect((await read(store, digest))?.length).toBe(9 * MIB)
  })

  test('an upload goes on at another node, in requests of any size', async () => {
    const place = await make()
    const nodes = [await openPlace(place), await openPlace(place), await openPlace(place)]
    const bytes = randomBytes(20 * MIB)
    const ends = [1, 700_000, 6 * MIB, 6 * MIB + 9, 19 * MIB, 20 * MIB]
    let atBytes = 0
    for (const [turn, end] of ends.entries()) {
      const node = nodes[turn % 3]
      const result = node && (await append(node, 'upl_00000001', atBytes, bytes.subarray(atBytes, end)))
      expect(result).toEqual({ sizeBytes: end, failure: undefined })
      atBytes = end
    }
    const digest = digestOf(bytes)
    expect(await nodes[1]?.publish({ id: 'upl_00000001', sizeBytes: atBytes, digest })).toBe('published')
    const last = nodes[2]
    expect(last && (await read(last, digest))?.equals(bytes)).toBe(true)
  })

  test('a blob may be named by another algorithm than the upload began with', async () => {
    const store = await openPlace(await make())
    const bytes = randomBytes(1_000)
    await append(store, 'upl_00000001', 0, bytes)
    const digest = digestOf(bytes, 'sha512')
    expect(await store.publish({ id: 'upl_00000001', sizeBytes: 1_000, digest })).toBe('published')
    expect((await read(store, digest))?.equals(bytes)).toBe(true)
  })

  test('twenty nodes push the same blob at once', async () => {
    const place = await make()
    const bytes = randomBytes(300_000)
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) =>
        pushTo(await openPlace(place), bytes, `upl_of_node_${index}`),
      ),
    )
    expect(await listed(await openPlace(place))).toEqual([digestOf(bytes)])
  })
}

function brokenContract(make: Make): void {
  test('content that is not what the digest names becomes no blob', async () => {
    const store = await openPlace(await make())
    await append(store, 'upl_00000001', 0, randomBytes(100))
    const digest = digestOf('something else')
    expect(await store.publish({ id: 'upl_00000001', sizeBytes: 100, digest })).toBe('mismatch')
    expect(await store.findSize(digest)).toBeUndefined()
    expect(await store.open(digest)).toBeUndefined()
    expect(await listed(store)).toEqual([])
  })

  test('what arrived before the line was cut is kept, and another node goes on', async () => {
    const place = await make()
    const [first, second] = [await openPlace(place), await openPlace(place)]
    const bytes = randomBytes(11 * MIB)
    const cut = await append(first, 'upl_00000001', 0, breakingOff(bytes.subarray(0, 9 * MIB)))
    expect(cut.sizeBytes).toBe(9 * MIB)
    expect(String(cut.failure)).toContain('the line is cut')
    await append(second, 'upl_00000001', 9 * MIB, bytes.subarray(9 * MIB))
    const upload = { id: 'upl_00000001', sizeBytes: 11 * MIB, digest: digestOf(bytes) }
    expect(await second.publish(upload)).toBe('published')
  })

  test.each(['the same node', 'another node'])('%s overwrites what was not confirmed', async (who) => {
    const place = await make()
    const first = await openPlace(place)
    const second = who === 'the same node' ? first : await openPlace(place)
    const bytes = randomBytes(12 * MIB)
    await append(first, 'upl_00000001', 0, bytes.subarray(0, MIB))
    await append(first, 'upl_00000001', MIB, randomBytes(10 * MIB))
    await append(second, 'upl_00000001', MIB, bytes.subarray(MIB))
    const upload = { id: 'upl_00000001', sizeBytes: 12 * MIB, digest: digestOf(bytes) }
    const third = await openPlace(place)
    expect(await third.publish(upload)).toBe('published')
    expect((await read(third, upload.digest))?.equals(bytes)).toBe(true)
  })

  test('an upload that was dropped cannot be gone on with, and its id can be used again', async () => {
    const place = await make()
    const store = await openPlace(place)
    await append(store, 'upl_00000001', 0, randomBytes(1_000))
    await store.drop('upl_00000001')
    await store.drop('upl_00000001')
    await expect(append(await openPlace(place), 'upl_00000001', 1_000, randomBytes(5))).rejects.toThrow()
    await pushTo(store, randomBytes(10), 'upl_00000001')
  })

  test('what broken pushes left is swept once it is old enough', async () => {
    const store = await openPlace(await make())
    const digest = await pushTo(store, randomBytes(10), 'upl_00000001')
    await append(store, 'upl_00000002', 0, randomBytes(10))
    const hour = 3_600_000
    expect(await store.sweep(new Date(systemClock.now().getTime() - hour))).toBe(0)
    expect(await store.sweep(new Date(systemClock.now().getTime() + hour))).toBe(1)
    expect(await store.findSize(digest)).toBe(10)
  })
}

function blobContract(make: Make): void {
  test('an absent blob is absent in every way', async () => {
    const store = await openPlace(await make())
    const digest = digestOf('nothing')
    expect(await store.findSize(digest)).toBeUndefined()
    expect(await store.open(digest, { startBytes: 0, endBytes: 1 })).toBeUndefined()
    await store.remove(digest)
    expect(await listed(store)).toEqual([])
  })

  test('a blob is deleted, put aside, and pushed again', async () => {
    const store = await openPlace(await make())
    const bytes = randomBytes(50_000)
    const digest = await pushTo(store, bytes, 'upl_00000001')
    await store.remove(digest)
    expect(await store.findSize(digest)).toBeUndefined()
    await pushTo(store, bytes, 'upl_00000002')
    await store.quarantine(digest)
    expect(await store.findSize(digest)).toBeUndefined()
    await pushTo(store, bytes, 'upl_00000003')
    expect(await listed(store)).toEqual([digest])
  })

  test('blobs are listed in the order of their digests, from any place on', async () => {
    const store = await openPlace(await make())
    const digests: Digest[] = []
    for (let index = 0; index < 12; index += 1)
      digests.push(await pushTo(store, Buffer.from(`blob ${index}`), `upl_0000000${index}`))
    const longer = digestOf('longer', 'sha512')
    await append(store, 'upl_longer_one', 0, Buffer.from('longer'))
    await store.publish({ id: 'upl_longer_one', sizeBytes: 6, digest: longer })
    const sorted = [...digests.toSorted(), longer]
    expect(await listed(store)).toEqual(sorted)
    expect(await listed(store, sorted[4])).toEqual(sorted.slice(5))
    expect(await listed(store, sorted[11])).toEqual([longer])
    expect(await listed(store, longer)).toEqual([])
  })
}

function registryContract(make: Make): void {
  test('a push that began at one registry ends at another, and is mounted and pulled there', async () => {
    const place = await make()
    const metadata = memoryMetadata()
    await using first = await testRegistry({ metadata, blobs: await openPlace(place) })
    await using second = await testRegistry({ metadata, blobs: await openPlace(place) })
    const location = await startUpload(first)
    await ask(first, 'PATCH', location, { body: 'hello ' })
    await ask(second, 'PATCH', location, { body: 'wor', headers: { 'content-range': '6-8' } })
    const digest = digestOf('hello world')
    expect((await ask(first, 'PUT', `${location}?digest=${digest}`, { body: 'ld' })).status).toBe(201)
    const mount = `/v2/team/other/blobs/uploads/?mount=${digest}&from=team/app`
    expect((await ask(second, 'POST', mount)).status).toBe(201)
    const pulled = await ask(second, 'GET', `/v2/team/other/blobs/${digest}`)
    expect(await pulled.text()).toBe('hello world')
    expect([...first.failures, ...second.failures]).toEqual([])
  })

  test('of two closing requests at once one wins, and the blob is what its digest says', async () => {
    await using registry = await testRegistry({ blobs: await openPlace(await make()) })
    for (let round = 0; round < 5; round += 1) {
      const location = await startUpload(registry)
      const bytes = randomBytes(200_000)
      const end = (body: Uint8Array) =>
        ask(registry, 'PUT', `${location}?digest=${digestOf(bytes)}`, { body })
      const answers = await Promise.all([end(bytes), end(bytes), end(randomBytes(300_000))])
      expect(answers.filter(({ status }) => status === 201).length).toBeLessThanOrEqual(1)
      if (!answers.some(({ status }) => status === 201)) continue
      const blob = await ask(registry, 'GET', `/v2/team/app/blobs/${digestOf(bytes)}`)
      expect(digestOf(new Uint8Array(await blob.arrayBuffer()))).toBe(digestOf(bytes))
    }
    expect(registry.failures).toEqual([])
  })

  test('what nobody needs any more is collected, and only that', async () => {
    const clock = manualClock()
    await using registry = await testRegistry({
      blobs: await openPlace(await make()),
      clock,
      reviewDelayMs: 0,
    })
    const { blobs, metadata } = registry
    await pushBlob(registry, CONFIG)
    await putManifest(registry, 'v1', imageOf(CONFIG))
    const unused = await pushBlob(registry, randomBytes(1_000))
    await startUpload(registry)
    for (let pass = 0; pass < 6; pass += 1) {
      await clock.advance(3 * 3_600_000)
      const report = await collectGarbage({ blobs, metadata, clock })
      expect(report.failures).toEqual([])
    }
    await clock.advance(24 * 3_600_000)
    expect(await dropStaleUploads({ blobs, metadata, clock })).toBe(1)
    expect(await blobs.findSize(unused)).toBeUndefined()
    expect(await listed(blobs)).toEqual([digestOf(CONFIG)])
  })

  test('a damaged blob is found, put aside and can be pushed again', async () => {
    const place = await make()
    await using registry = await testRegistry({ blobs: await openPlace(place) })
    const { blobs } = registry
    const bytes = randomBytes(100)
    const digest = await pushBlob(registry, bytes)
    await overwriteBlob(
      place,
      digest,
      Buffer.concat([bytes.subarray(0, 99), Buffer.from([~(bytes[99] ?? 0)])]),
    )
    const report = await scrubBlobs({ blobs, clock: systemClock, limit: 100 })
    expect(report.damaged).toEqual([digest])
    expect((await ask(registry, 'GET', `/v2/team/app/blobs/${digest}`)).status).toBe(404)
    await pushBlob(registry, bytes)
    expect((await ask(registry, 'GET', `/v2/team/app/blobs/${digest}`)).status).toBe(200)
  })
}

function crashContract(make: Make): void {
  test('killed in the midst of pushing, the store holds whole blobs only, and none it confirmed is lost', async () => {
    const place = await make()
    for (const killAfter of [1, 3, 7, 12]) {
      const confirmed: Digest[] = []
      const child = fork(CHILD, [JSON.stringify(place)], { execArgv: ['--conditions=source'] })
      const ended = once(child, 'exit')
      child.on('message', (digest) => {
        // The child sends nothing but digests.
        confirmed.push(digest as Digest)
        if (confirmed.length >= killAfter) child.kill('SIGKILL')
      })
      await ended
      const blobs = await openPlace(place)
      for (const digest of confirmed) expect(await blobs.findSize(digest)).toBeGreaterThan(0)
      const report = await scrubBlobs({ blobs, clock: systemClock, limit: 10_000 })
      expect(report.damaged).toEqual([])
      expect(report.checked).toBeGreaterThanOrEqual(confirmed.length)
    }
  })
}
