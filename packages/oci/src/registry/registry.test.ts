import { randomBytes } from 'node:crypto'
import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { manualClock, systemClock } from '@slipway/kit'
import { describe, expect, test } from 'vitest'

import { digestOf, hexOf } from '../format/digest.ts'
import { mediaTypes } from '../format/media-types.ts'
import { memoryMetadata } from '../testing/memory-metadata.ts'
import { testRegistry, type TestRegistry } from '../testing/world.ts'
import { collectGarbage, dropStaleUploads } from './collect.ts'
import { folderBlobs } from './folder-blobs.ts'
import { scrubBlobs } from './scrub.ts'
import { newTokenKey, tokenSigner } from './token.ts'

const OWNER = `Basic ${btoa('owner:owner')}`
const READER = `Basic ${btoa('reader:reader')}`
const STRANGER = `Basic ${btoa('stranger:stranger')}`
const CODES = new Set(
  'BLOB_UNKNOWN BLOB_UPLOAD_INVALID BLOB_UPLOAD_UNKNOWN DIGEST_INVALID MANIFEST_BLOB_UNKNOWN MANIFEST_INVALID MANIFEST_UNKNOWN NAME_INVALID NAME_UNKNOWN SIZE_INVALID UNAUTHORIZED DENIED UNSUPPORTED TOOMANYREQUESTS'.split(
    ' ',
  ),
)

type Ask = {
  readonly as?: string | undefined
  readonly headers?: Record<string, string>
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array>
}

/** Asks the registry without a socket. */
async function ask(registry: TestRegistry, method: string, path: string, more: Ask = {}): Promise<Response> {
  const authorization = 'as' in more ? more.as : OWNER
  const url = path.startsWith('http') ? path : `http://registry.test${path}`
  return await registry.handler(
    new Request(url, {
      method,
      headers: { ...more.headers, ...(authorization === undefined ? {} : { authorization }) },
      ...(more.body === undefined ? {} : { body: more.body as string, duplex: 'half' }),
    }),
  )
}

async function codeOf(response: Response): Promise<string> {
  const body = (await response.json()) as { errors: [{ code: string }] }
  return body.errors[0].code
}

async function startUpload(registry: TestRegistry, repository = 'team/app', query = ''): Promise<string> {
  const response = await ask(registry, 'POST', `/v2/${repository}/blobs/uploads/${query}`)
  expect(response.status).toBe(202)
  return response.headers.get('location') ?? ''
}

async function pushBlob(
  registry: TestRegistry,
  bytes: Uint8Array,
  repository = 'team/app',
  algorithm = 'sha256',
) {
  const digest = digestOf(bytes, algorithm === 'sha512' ? 'sha512' : 'sha256')
  const path = `/v2/${repository}/blobs/uploads/?digest=${digest}`
  const response = await ask(registry, 'POST', path, { body: bytes })
  expect(response.status).toBe(201)
  return digest
}

function imageOf(config: Uint8Array, more: object = {}): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: digestOf(config), size: config.length },
    layers: [],
    ...more,
  })
}

async function putManifest(
  registry: TestRegistry,
  reference: string,
  body: string,
  more: { type?: string; repository?: string; as?: string } = {},
): Promise<Response> {
  const path = `/v2/${more.repository ?? 'team/app'}/manifests/${reference}`
  return await ask(registry, 'PUT', path, {
    body,
    headers: { 'content-type': more.type ?? mediaTypes.manifest },
    ...(more.as === undefined ? {} : { as: more.as }),
  })
}

const CONFIG = Buffer.from('{}')

async function withImage(more: Parameters<typeof testRegistry>[0] = {}): Promise<TestRegistry> {
  const registry = await testRegistry(more)
  await pushBlob(registry, CONFIG)
  expect((await putManifest(registry, 'v1', imageOf(CONFIG))).status).toBe(201)
  return registry
}

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

describe('bad input is answered with a status and one of the fourteen codes:', () => {
  const upper = digestOf('x').toUpperCase().replace('SHA256', 'sha256')
  const deep = `{"schemaVersion":2,"x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`
  const manifestCases: [name: string, body: string, type?: string][] = [
    ['a manifest 200,000 levels deep', deep],
    ['duplicate keys', imageOf(CONFIG).replace('"layers":[]', '"layers":[],"layers":[]')],
    ['duplicate keys in disguise', imageOf(CONFIG).replace('"layers":[]', '"layers":[],"l\\u0061yers":[]')],
    ['a byte order mark', `\uFEFF${imageOf(CONFIG)}`],
    ['1e999', imageOf(CONFIG).replace('"schemaVersion":2', '"schemaVersion":2,"x":1e999')],
    ['size -1', imageOf(CONFIG).replace('"size":2', '"size":-1')],
    ['a size above 2^53', imageOf(CONFIG).replace('"size":2', '"size":9007199254740993')],
    ['half a byte', imageOf(CONFIG).replace('"size":2', '"size":1.5')],
    ['__proto__', imageOf(CONFIG).replace('"layers":[]', '"layers":[],"__proto__":{"a":1}')],
    ['both manifests and layers', imageOf(CONFIG, { manifests: [] })],
    ['no config', '{"schemaVersion":2,"layers":[]}'],
    [
      'schema 1',
      '{"schemaVersion":1,"fsLayers":[]}',
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
    ],
    ['an array', '[]'],
    ['null', 'null'],
    ['text', 'hello'],
    ['nothing', ''],
    ['an unknown type', imageOf(CONFIG, { mediaType: 'a/b' }), 'a/b'],
    ['a type that contradicts', imageOf(CONFIG), mediaTypes.index],
    ['data that is not the digest', imageOf(CONFIG).replace('"size":2', '"size":2,"data":"e31="')],
    ['data that is not base64', imageOf(CONFIG).replace('"size":2', '"size":2,"data":"***"')],
    ['a digest of another algorithm', imageOf(CONFIG).replace('sha256:', 'md5:')],
    ['annotations that are no texts', imageOf(CONFIG, { annotations: { a: 1 } })],
    ['layers that are no list', imageOf(CONFIG, { layers: {} })],
  ]
  test.each(manifestCases)('%s', async (_, body, type) => {
    await using registry = await withImage()
    const response = await putManifest(registry, 'bad', body, type === undefined ? {} : { type })
    expect([response.status, await codeOf(response)]).toEqual([400, 'MANIFEST_INVALID'])
    expect((await ask(registry, 'HEAD', '/v2/team/app/manifests/bad')).status).toBe(404)
    expect(registry.failures).toEqual([])
  })

  test('a manifest that is not UTF-8', async () => {
    await using registry = await withImage()
    const body = Buffer.from(imageOf(CONFIG, { x: 'é' }), 'latin1')
    const response = await ask(registry, 'PUT', '/v2/team/app/manifests/bad', { body })
    expect(await codeOf(response)).toBe('MANIFEST_INVALID')
  })

  test('a manifest over 4 MB', async () => {
    await using registry = await withImage()
    const response = await putManifest(registry, 'big', imageOf(CONFIG, { x: 'x'.repeat(4 * 1024 * 1024) }))
    expect([response.status, await codeOf(response)]).toEqual([413, 'SIZE_INVALID'])
  })

  test('a manifest just below 4 MB is accepted', async () => {
    await using registry = await withImage()
    const response = await putManifest(registry, 'big', imageOf(CONFIG, { x: 'x'.repeat(4_193_000) }))
    expect(response.status).toBe(201)
  })

  const long = `${'a'.repeat(100)}/`.repeat(3)
  const hex = hexOf(digestOf('x'))
  const addresses: [name: string, method: string, path: string, status: number, code: string][] = [
    ['an uppercase name', 'GET', '/v2/Team/app/tags/list', 400, 'NAME_INVALID'],
    ['a name of 300 characters', 'GET', `/v2/${long}x/tags/list`, 400, 'NAME_INVALID'],
    ['a name that ends in a dash', 'GET', '/v2/team-/tags/list', 400, 'NAME_INVALID'],
    ['an encoded slash', 'GET', '/v2/team%2fapp/tags/list', 400, 'NAME_INVALID'],
    ['an encoded NUL', 'GET', '/v2/team%00/tags/list', 400, 'NAME_INVALID'],
    ['a broken encoding', 'GET', '/v2/team%E0%A4/tags/list', 400, 'NAME_INVALID'],
    ['dots in disguise', 'GET', '/v2/..%2f..%2fetc/blobs/x', 400, 'NAME_INVALID'],
    ['a path of 2,000 characters', 'GET', `/v2/${'a/'.repeat(1_000)}tags/list`, 400, 'NAME_INVALID'],
    ['a tag of 129 characters', 'GET', `/v2/team/app/manifests/${'t'.repeat(129)}`, 400, 'MANIFEST_INVALID'],
    ['a tag that begins with a dot', 'GET', '/v2/team/app/manifests/.x', 400, 'MANIFEST_INVALID'],
    ['a short digest', 'GET', '/v2/team/app/blobs/sha256:abc', 400, 'DIGEST_INVALID'],
    ['an uppercase digest', 'GET', `/v2/team/app/blobs/${upper}`, 400, 'DIGEST_INVALID'],
    ['an unknown algorithm', 'GET', `/v2/team/app/blobs/md5:${hex}`, 400, 'DIGEST_INVALID'],
    ['a digest of a path', 'GET', '/v2/team/app/blobs/..', 404, 'UNSUPPORTED'],
    ['a malformed manifest digest', 'GET', '/v2/team/app/manifests/sha256:zz', 400, 'DIGEST_INVALID'],
    ['a malformed referrers digest', 'GET', '/v2/team/app/referrers/sha256:zz', 400, 'DIGEST_INVALID'],
    ['n=-1', 'GET', '/v2/team/app/tags/list?n=-1', 400, 'UNSUPPORTED'],
    ['n=abc', 'GET', '/v2/team/app/tags/list?n=abc', 400, 'UNSUPPORTED'],
    ['a last that is no tag', 'GET', '/v2/team/app/tags/list?last=%20', 400, 'UNSUPPORTED'],
    ['an invented upload', 'PATCH', '/v2/team/app/blobs/uploads/upl_invented0', 404, 'BLOB_UPLOAD_UNKNOWN'],
    ['an upload id with a path', 'GET', '/v2/team/app/blobs/uploads/a.b', 404, 'BLOB_UPLOAD_UNKNOWN'],
    [
      'an upload id of 500 characters',
      'GET',
      `/v2/team/app/blobs/uploads/${'a'.repeat(500)}`,
      404,
      'BLOB_UPLOAD_UNKNOWN',
    ],
    [
      'an unknown algorithm of an upload',
      'POST',
      '/v2/team/app/blobs/uploads/?digest-algorithm=md5',
      400,
      'DIGEST_INVALID',
    ],
    ['an address that is none', 'GET', '/v2/team/app/other/x', 404, 'UNSUPPORTED'],
    ['a method that is none', 'POST', '/v2/team/app/tags/list', 405, 'UNSUPPORTED'],
    ['a token by POST', 'POST', '/v2/token', 405, 'UNSUPPORTED'],
  ]
  test.each(addresses)('%s', async (_, method, path, status, code) => {
    await using registry = await withImage()
    const response = await ask(registry, method, path)
    expect([response.status, await codeOf(response)]).toEqual([status, code])
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(CODES.has(code)).toBe(true)
    expect(registry.failures).toEqual([])
  })

  test('a manifest whose blob is missing', async () => {
    await using registry = await withImage()
    const response = await putManifest(registry, 'bad', imageOf(Buffer.from('other')))
    expect([response.status, await codeOf(response)]).toEqual([404, 'MANIFEST_BLOB_UNKNOWN'])
  })

  test('a manifest under another digest', async () => {
    await using registry = await withImage()
    const response = await putManifest(registry, digestOf('other'), imageOf(CONFIG))
    expect([response.status, await codeOf(response)]).toEqual([400, 'DIGEST_INVALID'])
  })
})

describe('uploads that go wrong', () => {
  const wrongChunks: [name: string, range: string, status: number][] = [
    ['a gap', '20-29', 416],
    ['an overlap', '5-14', 416],
    ['a repeat', '0-9', 416],
    ['backwards', '10-3', 416],
    ['longer than the body', '10-99', 400],
    ['shorter than the body', '10-12', 400],
    ['no range', 'all', 400],
    ['a huge number', `10-${'9'.repeat(30)}`, 400],
  ]
  test.each(wrongChunks)('%s is refused and changes nothing', async (_, range, status) => {
    await using registry = await testRegistry()
    const location = await startUpload(registry)
    await ask(registry, 'PATCH', location, { body: 'x'.repeat(10) })
    const response = await ask(registry, 'PATCH', location, {
      body: 'y'.repeat(10),
      headers: { 'content-range': range },
    })
    expect(response.status).toBe(status)
    const put = await ask(registry, 'PUT', `${location}?digest=${digestOf('x'.repeat(10))}`)
    expect(put.status).toBe(201)
  })

  test('a body unlike its Content-Length is refused', async () => {
    await using registry = await testRegistry()
    const location = await startUpload(registry)
    const response = await ask(registry, 'PATCH', location, {
      body: 'x'.repeat(10),
      headers: { 'content-length': '12' },
    })
    expect([response.status, await codeOf(response)]).toEqual([400, 'SIZE_INVALID'])
  })

  test('an interrupted PATCH keeps what came, and the upload goes on from there', async () => {
    await using registry = await testRegistry()
    const location = await startUpload(registry)
    let sent = false
    const broken = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent) controller.error(new Error('connection reset'))
        else controller.enqueue(Buffer.from('hello '))
        sent = true
      },
    })
    expect((await ask(registry, 'PATCH', location, { body: broken })).status).toBe(400)
    const status = await ask(registry, 'GET', location)
    expect(status.headers.get('range')).toBe('0-5')
    const end = { body: 'world', headers: { 'content-range': '6-10' } }
    expect((await ask(registry, 'PATCH', location, end)).status).toBe(202)
    expect((await ask(registry, 'PUT', `${location}?digest=${digestOf('hello world')}`)).status).toBe(201)
  })

  test('of two writers of one upload the second is refused', async () => {
    const metadata = memoryMetadata()
    const claimed = Promise.withResolvers<void>()
    await using registry = await testRegistry({
      metadata: {
        ...metadata,
        async claimUpload(claim) {
          const outcome = await metadata.claimUpload(claim)
          claimed.resolve()
          return outcome
        },
      },
    })
    const location = await startUpload(registry)
    const gate = Promise.withResolvers<void>()
    const slow = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(Buffer.from('first'))
        await gate.promise
        controller.close()
      },
    })
    const first = ask(registry, 'PATCH', location, { body: slow })
    await claimed.promise
    const second = await ask(registry, 'PATCH', location, { body: 'second' })
    expect([second.status, await codeOf(second)]).toEqual([416, 'BLOB_UPLOAD_INVALID'])
    gate.resolve()
    expect((await first).status).toBe(202)
    expect((await ask(registry, 'PUT', `${location}?digest=${digestOf('first')}`)).status).toBe(201)
  })

  test('a body that stops coming is ended', async () => {
    const clock = manualClock()
    await using registry = await testRegistry({ clock })
    const location = await startUpload(registry)
    const silent = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(Buffer.from('x')),
    })
    const pending = ask(registry, 'PATCH', location, { body: silent })
    const state = { done: false }
    void pending.then(() => (state.done = true))
    while (!state.done) {
      await clock.advance(10_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect((await pending).status).toBe(408)
    expect((await ask(registry, 'GET', location)).headers.get('range')).toBe('0-0')
  })

  test('a body that drips is ended, however long it pretends to live', async () => {
    const clock = manualClock()
    await using registry = await testRegistry({ clock })
    const location = await startUpload(registry)
    let drops = 0
    const dripping = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await clock.advance(5_000)
        drops += 1
        controller.enqueue(Buffer.from('x'))
      },
    })
    expect((await ask(registry, 'PATCH', location, { body: dripping })).status).toBe(408)
    expect(drops).toBeLessThan(20)
  })

  test('a wrong digest ends the upload, and the right one can be pushed afterwards', async () => {
    await using registry = await testRegistry()
    const location = await startUpload(registry)
    const wrong = await ask(registry, 'PUT', `${location}?digest=${digestOf('other')}`, { body: 'content' })
    expect([wrong.status, await codeOf(wrong)]).toEqual([400, 'DIGEST_INVALID'])
    expect((await ask(registry, 'GET', location)).status).toBe(404)
    await pushBlob(registry, Buffer.from('content'))
  })

  test('PUT twice: the second upload is unknown, the blob is there', async () => {
    await using registry = await testRegistry()
    const location = await startUpload(registry)
    const put = () => ask(registry, 'PUT', `${location}?digest=${digestOf('content')}`, { body: 'content' })
    expect((await put()).status).toBe(201)
    expect((await put()).status).toBe(404)
    expect((await ask(registry, 'HEAD', `/v2/team/app/blobs/${digestOf('content')}`)).status).toBe(200)
  })

  test('another node goes on with an upload that the first began', async () => {
    const metadata = memoryMetadata()
    await using first = await testRegistry({ metadata })
    const blobs = await folderBlobs(join(first.folder, 'registry'))
    await using second = await testRegistry({ metadata, blobs })
    const location = await startUpload(first)
    await ask(first, 'PATCH', location, { body: 'hello ' })
    await ask(second, 'PATCH', location, { body: 'wor', headers: { 'content-range': '6-8' } })
    const put = await ask(first, 'PUT', `${location}?digest=${digestOf('hello world')}`, { body: 'ld' })
    expect(put.status).toBe(201)
  })

  test('what a killed append left beyond the confirmed part is overwritten', async () => {
    await using registry = await testRegistry()
    const location = await startUpload(registry)
    await ask(registry, 'PATCH', location, { body: 'hello ' })
    const id = location.split('/').at(-1) ?? ''
    await appendFile(join(registry.folder, 'registry', 'uploads', id), 'rest of a dead process')
    const put = await ask(registry, 'PUT', `${location}?digest=${digestOf('hello world')}`, { body: 'world' })
    expect(put.status).toBe(201)
  })

  test('fifty clients push one blob at once', async () => {
    await using registry = await testRegistry()
    const bytes = randomBytes(100_000)
    await Promise.all(Array.from({ length: 50 }, (_, index) => pushBlob(registry, bytes, `team/app${index}`)))
    const response = await ask(registry, 'GET', `/v2/team/app49/blobs/${digestOf(bytes)}`)
    expect(digestOf(new Uint8Array(await response.arrayBuffer()))).toBe(digestOf(bytes))
  })
})

describe('rights', () => {
  const asked: [name: string, method: string, path: string][] = [
    ['HEAD of a blob', 'HEAD', `/blobs/${digestOf(CONFIG)}`],
    ['GET of a blob', 'GET', `/blobs/${digestOf(CONFIG)}`],
    ['GET of a manifest', 'GET', '/manifests/v1'],
    ['tags', 'GET', '/tags/list'],
    ['referrers', 'GET', `/referrers/${digestOf(imageOf(CONFIG))}`],
    ['an upload', 'POST', '/blobs/uploads/'],
    ['a push', 'PUT', '/manifests/v2'],
    ['a deletion', 'DELETE', '/manifests/v1'],
  ]
  test.each(asked)('%s: what is private and what does not exist answer alike', async (_, method, path) => {
    await using registry = await withImage()
    for (const as of [STRANGER, undefined]) {
      const hidden = await ask(registry, method, `/v2/team/app${path}`, { as })
      const absent = await ask(registry, method, `/v2/team/none${path}`, { as })
      expect(hidden.status).toBe(as === undefined ? 401 : 404)
      expect(absent.status).toBe(hidden.status)
      expect((await absent.text()).replaceAll('none', 'app')).toBe(await hidden.text())
    }
    const reads = method === 'GET' || method === 'HEAD'
    expect((await ask(registry, method, `/v2/team/app${path}`, { as: READER })).status).toBe(
      reads ? 200 : 403,
    )
  })

  test('mounting from a private repository looks like mounting what is not there', async () => {
    await using registry = await testRegistry({
      authorize: async (subject, repository) => {
        if (subject?.id === 'owner') return ['pull', 'push']
        return repository.startsWith('mine/') ? ['pull', 'push'] : []
      },
    })
    const digest = await pushBlob(registry, randomBytes(10), 'team/secret')
    for (const query of [`mount=${digest}&from=team/secret`, `mount=${digest}`]) {
      const response = await ask(registry, 'POST', `/v2/mine/app/blobs/uploads/?${query}`, { as: READER })
      expect(response.status).toBe(202)
    }
    expect((await ask(registry, 'HEAD', `/v2/mine/app/blobs/${digest}`, { as: READER })).status).toBe(404)
  })

  test('the catalog shows what the caller may pull', async () => {
    await using registry = await withImage()
    await pushBlob(registry, CONFIG, 'public/tool')
    const names = async (as: string) =>
      ((await (await ask(registry, 'GET', '/v2/_catalog', { as })).json()) as { repositories: string[] })
        .repositories
    expect(await names(OWNER)).toEqual(['public/tool', 'team/app'])
    expect(await names(STRANGER)).toEqual(['public/tool'])
    expect((await ask(registry, 'GET', '/v2/_catalog', { as: undefined })).status).toBe(401)
  })

  async function tokenFor(registry: TestRegistry, scope: string, as: string | undefined): Promise<string> {
    const response = await ask(registry, 'GET', `/v2/token?service=x&scope=${scope}`, { as })
    expect(response.status).toBe(200)
    const body = (await response.json()) as { token: string; access_token: string; expires_in: number }
    expect(body.access_token).toBe(body.token)
    expect(body.expires_in).toBe(300)
    return `Bearer ${body.token}`
  }

  test('a token holds for what was asked and granted, and for nothing else', async () => {
    await using registry = await withImage()
    await pushBlob(registry, CONFIG, 'public/tool')
    const pull = await tokenFor(registry, 'repository:team/app:pull', OWNER)
    expect((await ask(registry, 'GET', '/v2/team/app/manifests/v1', { as: pull })).status).toBe(200)
    const push = await ask(registry, 'POST', '/v2/team/app/blobs/uploads/', { as: pull })
    expect(push.status).toBe(401)
    expect(push.headers.get('www-authenticate')).toContain('error="insufficient_scope"')
    const other = await tokenFor(registry, 'repository:team/other:pull', OWNER)
    expect((await ask(registry, 'GET', '/v2/team/app/manifests/v1', { as: other })).status).toBe(401)
    const greedy = await tokenFor(registry, 'repository:team/app:pull,push,delete', READER)
    expect((await ask(registry, 'GET', '/v2/team/app/manifests/v1', { as: greedy })).status).toBe(200)
    expect((await ask(registry, 'DELETE', '/v2/team/app/manifests/v1', { as: greedy })).status).toBe(403)
    const nobody = await tokenFor(registry, 'repository:public/tool:pull', undefined)
    expect((await ask(registry, 'GET', '/v2/', { as: nobody })).status).toBe(200)
    expect(
      (await ask(registry, 'HEAD', `/v2/public/tool/blobs/${digestOf(CONFIG)}`, { as: nobody })).status,
    ).toBe(200)
  })

  test('a right that is withdrawn ends at once, token or not', async () => {
    let allowed = true
    await using registry = await testRegistry({ authorize: async () => (allowed ? ['pull', 'push'] : []) })
    const token = await tokenFor(registry, 'repository:team/app:pull,push', OWNER)
    const start = () => ask(registry, 'POST', '/v2/team/app/blobs/uploads/', { as: token })
    const location = (await start()).headers.get('location') ?? ''
    allowed = false
    expect((await ask(registry, 'PATCH', location, { as: token, body: 'x' })).status).toBe(404)
    expect((await start()).status).toBe(404)
  })

  test('a token does not buy another token', async () => {
    await using registry = await withImage()
    const token = await tokenFor(registry, 'repository:team/app:pull', OWNER)
    expect(
      (await ask(registry, 'GET', '/v2/token?scope=repository:team/app:push', { as: token })).status,
    ).toBe(401)
  })

  test('tokens that are forged, expired, too early or for others are refused; rotated keys hold', () => {
    const clock = manualClock()
    const newId = (prefix: string) => `${prefix}_1`
    let keys = [newTokenKey('old')]
    const signerFor = (audience: string, list = () => keys) =>
      tokenSigner({ keys: list, issuer: 'slipway', audience, clock, newId })
    const signer = signerFor('here')
    const claims = { subject: { id: 'u', name: 'u' }, access: [] }
    const { token } = signer.sign(claims)
    expect(signer.verify(token)).toEqual(claims)
    const [, body = '', signature = ''] = token.split('.')
    const forge = (header: object) =>
      `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${body}.${signature}`
    expect(signer.verify(forge({ alg: 'none', kid: 'old' }))).toBeUndefined()
    expect(
      signer.verify(`${forge({ alg: 'none', kid: 'old' }).split('.').slice(0, 2).join('.')}.`),
    ).toBeUndefined()
    expect(signer.verify(forge({ alg: 'HS256', kid: 'old' }))).toBeUndefined()
    expect(signer.verify(forge({ alg: 'ES256', kid: '../../../dev/null' }))).toBeUndefined()
    expect(signer.verify(forge({ alg: 'ES256', kid: '__proto__' }))).toBeUndefined()
    expect(signer.verify('')).toBeUndefined()
    expect(signer.verify(`${token}x`.repeat(500))).toBeUndefined()
    expect(signerFor('elsewhere').verify(token)).toBeUndefined()
    const stolen = [newTokenKey('old')]
    expect(signer.verify(signerFor('here', () => stolen).sign(claims).token)).toBeUndefined()
    keys = [newTokenKey('new'), ...keys]
    expect(signer.verify(token)).toEqual(claims)
    expect(signer.verify(signer.sign(claims).token)).toEqual(claims)
    keys = keys.slice(0, 1)
    expect(signer.verify(token)).toBeUndefined()
  })

  test('a token ends after its life and a minute of skew', async () => {
    const clock = manualClock()
    const key = newTokenKey('a')
    const signer = tokenSigner({ keys: () => [key], issuer: 'i', audience: 'a', clock, newId: () => 'jti_1' })
    const { token } = signer.sign({ subject: undefined, access: [] })
    await clock.advance(359_000)
    expect(signer.verify(token)).toBeDefined()
    await clock.advance(2_000)
    expect(signer.verify(token)).toBeUndefined()
  })
})

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
