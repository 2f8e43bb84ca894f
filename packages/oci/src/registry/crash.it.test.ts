import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { systemClock } from '@slipway/kit'
import { expect, test } from 'vitest'

import { digestOf, type Digest } from '../format/digest.ts'
import { testRegistry } from '../testing/world.ts'
import { folderBlobs } from './folder-blobs.ts'
import { scrubBlobs } from './scrub.ts'

const CHILD = new URL('../testing/pushing-child.ts', import.meta.url)

test('killed in the midst of pushing, the store holds whole blobs only, and none it confirmed is lost', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-crash-'))
  try {
    for (const killAfter of [1, 3, 7, 12]) {
      const confirmed: Digest[] = []
      const child = fork(CHILD, [folder], { execArgv: ['--conditions=source'] })
      const ended = once(child, 'exit')
      child.on('message', (digest) => {
        // The child sends nothing but digests.
        confirmed.push(digest as Digest)
        if (confirmed.length >= killAfter) child.kill('SIGKILL')
      })
      await ended
      const blobs = await folderBlobs(folder)
      for (const digest of confirmed) expect(await blobs.findSize(digest)).toBeGreaterThan(0)
      const report = await scrubBlobs({ blobs, clock: systemClock, limit: 10_000 })
      expect(report.damaged).toEqual([])
      expect(report.checked).toBeGreaterThanOrEqual(confirmed.length)
    }
    expect(await readdir(join(folder, 'quarantine'))).toEqual([])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('a row without its file and a file without its row both look absent', async () => {
  await using registry = await testRegistry()
  const { blobs, metadata, handler } = registry
  const headers = { authorization: `Basic ${btoa('owner:owner')}` }
  const get = (digest: Digest) =>
    handler(new Request(`http://registry.test/v2/team/app/blobs/${digest}`, { headers }))
  const withoutFile = digestOf('no file')
  const link = { repository: 'team/app', sizeBytes: 7, reviewAfter: new Date(0) }
  await metadata.linkBlob({ ...link, digest: withoutFile })
  expect((await get(withoutFile)).status).toBe(404)
  const withoutRow = digestOf('no row')
  async function* content(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('no row')
  }
  await blobs.append({ id: 'upl_without_row', offsetBytes: 0, algorithm: 'sha256', content: content() })
  expect(await blobs.publish({ id: 'upl_without_row', sizeBytes: 6, digest: withoutRow })).toBe('published')
  expect((await get(withoutRow)).status).toBe(404)
  expect(registry.failures).toEqual([])
})
