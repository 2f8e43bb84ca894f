import { randomBytes } from 'node:crypto'

import { describe, expect, test } from 'vitest'

import { digestOf } from '../format/digest.ts'
import { mediaTypes } from '../format/media-types.ts'
import { ask, CONFIG, imageOf, pushBlob, putManifest, startUpload, withImage } from '../testing/ask.ts'
import { testRegistry } from '../testing/world.ts'

describe('protocol', () => {
  test('without login the first request is asked to log in, and says where', async () => {
    await using registry = await testRegistry()
    const response = await ask(registry, 'GET', '/v2/', { as: undefined })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe(
      'Bearer realm="http://registry.test/v2/token",service="registry.test"',
    )
    expect((await ask(registry, 'GET', '/v2/')).status).toBe(200)
  })

  test('a blob goes up in chunks and comes down whole, in part and by HEAD', async () => {
    await using registry = await testRegistry()
    const bytes = randomBytes(1_000)
    let location = await startUpload(registry)
    const chunks: [string, Uint8Array][] = [
      ['0-399', bytes.subarray(0, 400)],
      ['400-899', bytes.subarray(400, 900)],
    ]
    for (const [range, body] of chunks) {
      const response = await ask(registry, 'PATCH', location, { body, headers: { 'content-range': range } })
      expect(response.status).toBe(202)
      expect(response.headers.get('range')).toBe(`0-${range.split('-')[1]}`)
      location = response.headers.get('location') ?? ''
    }
    const status = await ask(registry, 'GET', location)
    expect([status.status, status.headers.get('range')]).toEqual([204, '0-899'])
    const digest = digestOf(bytes)
    const done = await ask(registry, 'PUT', `${location}?digest=${digest}`, { body: bytes.subarray(900) })
    expect([done.status, done.headers.get('docker-content-digest')]).toEqual([201, digest])
    const path = done.headers.get('location') ?? ''
    expect(Buffer.from(await (await ask(registry, 'GET', path)).arrayBuffer()).equals(bytes)).toBe(true)
    const head = await ask(registry, 'HEAD', path)
    expect([head.status, head.headers.get('content-length'), head.body]).toEqual([200, '1000', null])
    const part = await ask(registry, 'GET', path, { headers: { range: 'bytes=10-19' } })
    expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 10-19/1000'])
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(10, 20))).toBe(true)
  })

  const ranges: [range: string, status: number, lengthBytes: number | undefined][] = [
    ['bytes=0-', 206, 100],
    ['bytes=99-', 206, 1],
    ['bytes=-7', 206, 7],
    ['bytes=50-500', 206, 50],
    ['bytes=100-', 416, undefined],
    ['bytes=-0', 416, undefined],
    ['bytes=9-3', 200, 100],
    ['bytes=0-1,5-6', 200, 100],
    ['rows=0-1', 200, 100],
    ['bytes=-', 200, 100],
  ]
  test.each(ranges)('Range %s answers %i', async (range, status, lengthBytes) => {
    await using registry = await testRegistry()
    const digest = await pushBlob(registry, randomBytes(100))
    const response = await ask(registry, 'GET', `/v2/team/app/blobs/${digest}`, { headers: { range } })
    expect(response.status).toBe(status)
    const body = await response.arrayBuffer()
    if (lengthBytes !== undefined) expect(body.byteLength).toBe(lengthBytes)
  })

  test('a blob pushed by sha512 is addressed by sha512', async () => {
    await using registry = await testRegistry()
    const digest = await pushBlob(registry, randomBytes(100), 'team/app', 'sha512')
    expect(digest.startsWith('sha512:')).toBe(true)
    expect((await ask(registry, 'HEAD', `/v2/team/app/blobs/${digest}`)).status).toBe(200)
    const bytes = randomBytes(50)
    const location = await startUpload(registry, 'team/app', '?digest-algorithm=sha512')
    const put = await ask(registry, 'PUT', `${location}?digest=${digestOf(bytes, 'sha512')}`, { body: bytes })
    expect(put.status).toBe(201)
  })

  test('the blob of no bytes, foreign layers, no layers, unknown types, data and extra fields are accepted', async () => {
    await using registry = await testRegistry()
    const empty = await pushBlob(registry, new Uint8Array(0))
    await pushBlob(registry, CONFIG)
    const layers = [
      { mediaType: 'application/x-unknown', digest: empty, size: 0 },
      {
        mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
        digest: digestOf('elsewhere'),
        size: 5,
        urls: ['http://169.254.169.254/'],
      },
    ]
    const config = { mediaType: 'a/b', digest: digestOf(CONFIG), size: 2, data: 'e30=' }
    const body = imageOf(CONFIG, { layers, config, extra: { field: [1] } })
    expect((await putManifest(registry, 'odd', body)).status).toBe(201)
    const back = await ask(registry, 'GET', '/v2/team/app/manifests/odd')
    expect(await back.text()).toBe(body)
  })

  test('an index may name children that are not there', async () => {
    await using registry = await testRegistry()
    const body = JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests: [{ mediaType: mediaTypes.manifest, digest: digestOf('missing'), size: 7 }],
    })
    expect((await putManifest(registry, 'multi', body, { type: mediaTypes.index })).status).toBe(201)
  })

  test('a push by digest sets many tags at once and names them', async () => {
    await using registry = await withImage()
    const body = imageOf(CONFIG)
    const tags = Array.from({ length: 12 }, (_, index) => `t${index}`)
    const response = await putManifest(
      registry,
      `${digestOf(body)}?${tags.map((tag) => `tag=${tag}`).join('&')}`,
      body,
    )
    expect(response.status).toBe(201)
    expect(response.headers.get('oci-tag')).toBe(tags.join(', '))
    expect((await ask(registry, 'HEAD', '/v2/team/app/manifests/t11')).status).toBe(200)
  })

  test('tags are paged in byte order by links', async () => {
    await using registry = await withImage()
    for (const tag of ['b', 'B', 'a']) await putManifest(registry, tag, imageOf(CONFIG))
    const pages: string[][] = []
    let path: string | undefined = '/v2/team/app/tags/list?n=2'
    while (path !== undefined) {
      const response = await ask(registry, 'GET', path)
      pages.push(((await response.json()) as { tags: string[] }).tags)
      path = /<([^>]+)>/.exec(response.headers.get('link') ?? '')?.[1]
    }
    expect(pages).toEqual([
      ['B', 'a'],
      ['b', 'v1'],
    ])
    const none = await ask(registry, 'GET', '/v2/team/app/tags/list?n=0')
    expect([((await none.json()) as { tags: string[] }).tags, none.headers.get('link')]).toEqual([[], null])
    const huge = await ask(registry, 'GET', `/v2/team/app/tags/list?n=1${'0'.repeat(20)}`)
    expect(huge.status).toBe(200)
    const after = await ask(registry, 'GET', '/v2/team/app/tags/list?last=az')
    expect(((await after.json()) as { tags: string[] }).tags).toEqual(['b', 'v1'])
  })

  test('referrers: empty for the unknown, filtered, with annotations, paged', async () => {
    await using registry = await withImage({ limits: { referrerPageMax: 1 } })
    const subject = { mediaType: mediaTypes.manifest, digest: digestOf('not yet there'), size: 13 }
    const path = `/v2/team/app/referrers/${subject.digest}`
    const none = await ask(registry, 'GET', path)
    expect([none.status, none.headers.get('content-type')]).toEqual([200, mediaTypes.index])
    expect(((await none.json()) as { manifests: unknown[] }).manifests).toEqual([])
    const signature = imageOf(CONFIG, { subject, artifactType: 'a/signature', annotations: { a: 'b' } })
    const pushed = await putManifest(registry, digestOf(signature), signature)
    expect(pushed.headers.get('oci-subject')).toBe(subject.digest)
    const plain = imageOf(CONFIG, { subject })
    await putManifest(registry, digestOf(plain), plain)
    const index = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [], subject })
    await putManifest(registry, digestOf(index), index, { type: mediaTypes.index })
    const all: { digest: string; artifactType?: string; annotations?: object }[] = []
    let next: string | undefined = path
    while (next !== undefined) {
      const page = await ask(registry, 'GET', next)
      all.push(...((await page.json()) as { manifests: typeof all }).manifests)
      next = /<([^>]+)>/.exec(page.headers.get('link') ?? '')?.[1]
    }
    const typeOf = (text: string) => all.find((entry) => entry.digest === digestOf(text))
    expect(typeOf(signature)).toMatchObject({ artifactType: 'a/signature', annotations: { a: 'b' } })
    expect(typeOf(plain)?.artifactType).toBe(mediaTypes.config)
    expect(typeOf(index)).not.toHaveProperty('artifactType')
    const filtered = await ask(registry, 'GET', `${path}?artifactType=a/signature`)
    expect(filtered.headers.get('oci-filters-applied')).toBe('artifactType')
    expect(((await filtered.json()) as { manifests: unknown[] }).manifests).toHaveLength(1)
  })

  test('mounting answers 201 with the blob and 202 with an upload', async () => {
    await using registry = await testRegistry()
    const digest = await pushBlob(registry, randomBytes(10))
    const mount = (query: string) => ask(registry, 'POST', `/v2/team/new/blobs/uploads/?mount=${query}`)
    expect((await mount(`${digestOf('other')}&from=team/app`)).status).toBe(202)
    expect((await mount(`${digest}&from=team/none`)).status).toBe(202)
    expect((await mount(`${digest}&from=team/app`)).status).toBe(201)
    expect((await ask(registry, 'POST', `/v2/team/third/blobs/uploads/?mount=${digest}`)).status).toBe(201)
  })

  test('an upload is cancelled once', async () => {
    await using registry = await testRegistry()
    const location = await startUpload(registry)
    expect((await ask(registry, 'DELETE', location)).status).toBe(204)
    expect((await ask(registry, 'DELETE', location)).status).toBe(404)
    expect((await ask(registry, 'GET', location)).status).toBe(404)
  })

  test('deleting a digest takes its tags along; switched off it answers 405', async () => {
    await using registry = await withImage()
    const path = `/v2/team/app/manifests/${digestOf(imageOf(CONFIG))}`
    expect((await ask(registry, 'DELETE', path)).status).toBe(202)
    expect((await ask(registry, 'GET', '/v2/team/app/manifests/v1')).status).toBe(404)
    expect((await ask(registry, 'DELETE', path)).status).toBe(404)
    await using fixed = await withImage({ deletes: false })
    const refused = await ask(fixed, 'DELETE', path)
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD, PUT'])
  })

  test('a pull through a mirror is echoed, and nothing that leaves can be rendered', async () => {
    await using registry = await withImage()
    const response = await ask(registry, 'GET', '/v2/team/app/manifests/v1?ns=docker.io')
    expect(response.headers.get('oci-namespace')).toBe('docker.io')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('content-security-policy')).toContain('sandbox')
    expect(response.headers.get('content-disposition')).toBe('attachment')
  })
})
