import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { manualClock, systemClock } from '@slipway/kit'
import { describe, expect, test } from 'vitest'

import { digestOf, hexOf } from '../format/digest.ts'
import { ask, CONFIG, imageOf, pushBlob, putManifest, startUpload } from '../testing/ask.ts'
import { testRegistry } from '../testing/world.ts'
import { collectGarbage, dropStaleUploads } from './collect.ts'
import { scrubBlobs } from './scrub.ts'

describe('storage', () => {
  test('a flipped byte is found, quarantined and can be pushed again', async () => {
    await using registry = await testRegistry()
    const bytes = randomBytes(100)
    const digest = await pushBlob(registry, bytes)
    await pushBlob(registry, randomBytes(50))
    const hex = hexOf(digest)
    const place = join(registry.folder, 'registry', 'blobs', 'sha256', hex.slice(0, 2), hex)
    await writeFile(place, Buffer.concat([Buffer.from([(bytes[0] ?? 0) ^ 1]), bytes.subarray(1)]))
    const report = await scrubBlobs({ blobs: registry.blobs, clock: systemClock, limit: 100 })
    expect(report).toMatchObject({ checked: 2, damaged: [digest], next: undefined })
    expect((await ask(registry, 'GET', `/v2/team/app/blobs/${digest}`)).status).toBe(404)
    await pushBlob(registry, bytes)
    expect((await ask(registry, 'GET', `/v2/team/app/blobs/${digest}`)).status).toBe(200)
  })

  test('a scrub goes on where the last one stopped', async () => {
    await using registry = await testRegistry()
    const digests = await Promise.all([1, 2, 3].map((size) => pushBlob(registry, randomBytes(size))))
    const first = await scrubBlobs({ blobs: registry.blobs, clock: systemClock, limit: 2 })
    expect(first).toMatchObject({ checked: 2, next: digests.toSorted()[1] })
    const rest = await scrubBlobs({ blobs: registry.blobs, clock: systemClock, limit: 2, after: first.next })
    expect(rest).toMatchObject({ checked: 1, next: undefined })
  })

  test('what nobody needs is collected in steps, what is tagged stays, and a push in between wins', async () => {
    const clock = manualClock()
    await using registry = await testRegistry({ clock })
    const { blobs, metadata } = registry
    const lost = await pushBlob(registry, randomBytes(10))
    await pushBlob(registry, CONFIG)
    await putManifest(registry, 'v1', imageOf(CONFIG))
    const collect = () => collectGarbage({ blobs, metadata, clock, policy: { graceMs: 3_600_000 } })
    await clock.advance(25 * 3_600_000)
    await collect()
    await collect()
    expect((await ask(registry, 'HEAD', `/v2/team/app/blobs/${lost}`)).status).toBe(404)
    expect(await blobs.findSize(lost)).toBe(10)
    await clock.advance(2 * 3_600_000)
    const report = await collect()
    expect(report).toMatchObject({ blobsRemoved: 1, failures: [] })
    expect(await blobs.findSize(lost)).toBeUndefined()
    expect((await ask(registry, 'GET', '/v2/team/app/manifests/v1')).status).toBe(200)
    expect(await blobs.findSize(digestOf(CONFIG))).toBe(2)
  })

  test('abandoned uploads are forgotten with their files', async () => {
    const clock = manualClock()
    await using registry = await testRegistry({ clock })
    const location = await startUpload(registry)
    await ask(registry, 'PATCH', location, { body: 'x' })
    await clock.advance(25 * 3_600_000)
    expect(await dropStaleUploads({ ...registry, clock })).toBe(1)
    expect((await ask(registry, 'GET', location)).status).toBe(404)
  })

  test('a failure of the store is 500 with JSON, is reported, and shows nothing inside', async () => {
    await using plain = await testRegistry()
    const full = Object.assign(new Error('ENOSPC: no space left on /secret/path'), { code: 'ENOSPC' })
    await using registry = await testRegistry({
      blobs: { ...plain.blobs, append: () => Promise.reject(full) },
    })
    const location = await startUpload(registry)
    const response = await ask(registry, 'PATCH', location, { body: 'x' })
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('secret')
    expect(registry.failures).toEqual([full])
    const again = await ask(registry, 'GET', location)
    expect(again.status).toBe(204)
  })
})
