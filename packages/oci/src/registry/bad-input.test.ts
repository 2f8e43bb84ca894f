import { describe, expect, test } from 'vitest'

import { digestOf, hexOf } from '../format/digest.ts'
import { mediaTypes } from '../format/media-types.ts'
import { ask, CODES, codeOf, CONFIG, imageOf, putManifest, withImage } from '../testing/ask.ts'

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
