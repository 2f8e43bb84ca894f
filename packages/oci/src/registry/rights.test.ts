import { randomBytes } from 'node:crypto'

import { manualClock } from '@slipway/kit'
import { describe, expect, test } from 'vitest'

import { digestOf } from '../format/digest.ts'
import { ask, CONFIG, imageOf, OWNER, pushBlob, READER, STRANGER, withImage } from '../testing/ask.ts'
import { testRegistry, type TestRegistry } from '../testing/world.ts'
import { newTokenKey, tokenSigner } from './token.ts'

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
