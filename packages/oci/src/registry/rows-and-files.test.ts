import { expect, test } from 'vitest'

import { digestOf, type Digest } from '../format/digest.ts'
import { testRegistry } from '../testing/world.ts'

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
