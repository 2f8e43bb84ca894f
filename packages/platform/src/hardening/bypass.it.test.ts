/*
 * Other ways to write a request. Whatever the form, the decision is that of the canonical one: a path written otherwise is no
 * route, or the same route with the same check (CVE-2021-29441, CVE-2021-29442, CVE-2026-88804, CVE-2026-59954).
 */
import { contract, openApiDocument, type Endpoint, type Protocol, type Stream } from '@slipway/contract'
import * as declarations from '@slipway/contract'
import type { TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { codeOf, sendBytes, sendRaw } from './wire.helper.ts'
import { startWorld, type World } from './world.helper.ts'

let platform: TestPlatform
let world: World
let host: string

beforeAll(async () => {
  world = await startWorld()
  platform = world.platform
  host = new URL(platform.url).host
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
})

/** A path that needs an account, so that any answer but 401 or 404 to a stranger is a way round. */
const GUARDED = '/v1/users'
const spellings = [
  '/V1/users',
  '/v1/Users',
  '//v1/users',
  '/v1//users',
  '/v1/users/',
  '/v1/users//',
  '/v1/./users',
  '/v1/x/../users',
  '/v1/%2e%2e/v1/users',
  '/v1%2fusers',
  '/v1%2Fusers',
  '/v1/%75sers',
  '/v1/users%00',
  '/v1/users%20',
  '/v1/users.',
  '/v1/users.json',
  '/v1/users;a=b',
  '/v1;a=b/users',
  '/v1/users%3b',
  '/v1/users%3f',
  '/v1\\users',
  '/v1/users#x',
  '/docs/../v1/users',
  '/docs/..%2fv1/users',
  '/v2/../v1/users',
  '/v2/..%2fv1%2fusers',
  '/v2/%2e%2e/v1/users',
  'http://localhost/v1/users',
  '/v1/users/%c0%ae',
  '/v1/%',
]
const disguises: [name: string, headers: Record<string, string>][] = [
  ['X-HTTP-Method-Override', { 'x-http-method-override': 'GET' }],
  ['X-Original-URL', { 'x-original-url': '/v1/version' }],
  ['X-Rewrite-URL', { 'x-rewrite-url': '/v1/version' }],
  ['X-Forwarded-For', { 'x-forwarded-for': '127.0.0.1' }],
  ['X-Forwarded-Host', { 'x-forwarded-host': 'localhost' }],
  ['X-Forwarded-Proto', { 'x-forwarded-proto': 'https' }],
  ['X-Forwarded-User', { 'x-forwarded-user': 'admin' }],
  ['X-Remote-User', { 'x-remote-user': 'admin', 'remote-user': 'admin' }],
  ['Forwarded', { forwarded: 'for=127.0.0.1;host=localhost' }],
  ['the user agent of a server', { 'user-agent': 'Nacos-Server' }],
  ['a basic login', { authorization: `Basic ${Buffer.from('admin:admin').toString('base64')}` }],
  ['an empty bearer', { authorization: 'Bearer ' }],
  ['a bearer of an unsigned JWT', { authorization: `Bearer ${btoa('{"alg":"none"}')}.${btoa('{}')}.` }],
  ['an empty cookie', { cookie: 'slipway=' }],
]

describe('a stranger', () => {
  test.each(spellings)('finds no way in by %s', async (path) => {
    const answer = await sendRaw(platform.url, 'GET', path)
    expect([400, 401, 404, 421], `${path} → ${answer.status}`).toContain(answer.status)
    if (path.startsWith('/v2/')) return
    expect(typeof codeOf(JSON.parse(answer.text))).toBe('string')
  })

  test.each(disguises)('finds no way in by %s', async (_, headers) => {
    const answer = await sendRaw(platform.url, 'GET', GUARDED, { headers })
    expect(answer.status).toBe(401)
    const posted = await sendRaw(platform.url, 'POST', GUARDED, {
      headers: { 'content-type': 'application/json', ...headers },
      body: '{"name":"eve","password":"a long test password"}',
    })
    expect(posted.status).toBe(401)
  })

  test('finds no way in by a query that overrides the method, nor by other methods', async () => {
    for (const query of ['_method=GET', '_method=PUT', 'method=GET', 'access_token=x'])
      expect((await sendRaw(platform.url, 'POST', `${GUARDED}?${query}`)).status).toBe(401)
    for (const method of ['HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'PUT', 'DELETE', 'QUERY'])
      expect([400, 404], method).toContain((await sendRaw(platform.url, method, GUARDED)).status)
  })
})

describe('an account that may', () => {
  test.each(spellings)('gets by %s what it gets by the canonical path, or nothing', async (path) => {
    const authorization = `Bearer ${world.operator}`
    const answer = await sendRaw(platform.url, 'GET', path, { headers: { authorization } })
    expect([200, 400, 401, 404, 421], `${path} → ${answer.status}`).toContain(answer.status)
  })

  test('is recorded with its own address, whatever a header claims', async () => {
    await sendRaw(platform.url, 'POST', '/v1/tokens', {
      headers: {
        authorization: `Bearer ${world.owner.secret}`,
        'content-type': 'application/json',
        'x-forwarded-for': '203.0.113.7',
        'x-real-ip': '203.0.113.7',
        forwarded: 'for=203.0.113.7',
      },
      body: '{"name":"forwarded"}',
    })
    const { rows } = await world.database.query<{ address: string }>(
      `select address from audit_event where action = 'token.create' and actor = $1`,
      [world.owner.id],
    )
    expect(rows.map(({ address }) => address)).toEqual(['127.0.0.1'])
  })

  test('cannot say a parameter twice', async () => {
    for (const query of ['limit=1&limit=2', 'slug=a&slug=b', 'cursor=a&cursor=b', 'limit[]=1', 'limit[x]=1'])
      expect(
        codeOf((await platform.call('GET', `/v1/projects?${query}`, { secret: world.operator })).body),
        query,
      ).toBe('input_invalid')
  })

  test('acts on the object of the path, whatever the body or query names', async () => {
    const other = await platform.call('POST', '/v1/organizations', {
      secret: world.operator,
      body: { slug: 'other', name: 'Other' },
    })
    const otherId = String(other.body['id'])
    const path = `/v1/organizations/${world.ids['organization'] ?? ''}`
    for (const [query, body] of [
      [`?organization=${otherId}`, { name: 'x' }],
      ['', { name: 'x', organization: otherId }],
      ['', { name: 'x', id: otherId }],
    ] as const)
      expect(
        codeOf((await platform.call('PATCH', `${path}${query}`, { secret: world.owner.secret, body })).body),
      ).toBe('input_invalid')
  })
})

describe('the Host header', () => {
  const hosts = ['evil.example', 'localhost', 'localhost:1', 'localhost:65536', '127.0.0.1.nip.io', '[::]:1']
  test.each(hosts)('%s is refused, for requests and for upgrades', async (name) => {
    for (const headers of [
      { host: name },
      {
        host: name,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': Buffer.alloc(16).toString('base64'),
      },
    ]) {
      const answer = await sendRaw(platform.url, 'GET', '/v1/version', { headers })
      expect([answer.status, codeOf(JSON.parse(answer.text))]).toEqual([421, 'host_unknown'])
    }
  })

  test('in two pieces, or missing, is refused', async () => {
    const twice = await sendBytes(
      platform.url,
      `GET /v1/version HTTP/1.1\r\nHost: evil.example\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    )
    expect(twice).toMatch(/^HTTP\/1\.1 4(?:00|21) /u)
    const missing = await sendBytes(platform.url, 'GET /v1/version HTTP/1.1\r\nConnection: close\r\n\r\n')
    expect(missing).toMatch(/^HTTP\/1\.1 400 /u)
  })

  test('of the loopback address sends a browser to the name that cookies belong to, and nowhere else', async () => {
    const { port } = new URL(platform.url)
    for (const path of ['/', '/a?b=c', '//evil.example/', '//evil.example/%2e%2e', '/\\evil.example']) {
      const answer = await sendRaw(platform.url, 'GET', path, {
        headers: { host: `127.0.0.1:${port}`, accept: 'text/html' },
      })
      expect(answer.status).toBe(302)
      expect(answer.headers['location']).toBe(`http://localhost:${port}${path}`)
    }
  })
})

describe('an upgrade', () => {
  const upgrade = (target: string): string =>
    `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`
  const targets = [
    '//',
    '/',
    '*',
    'http://',
    '/v1/%',
    '/%00',
    `/${'a'.repeat(8_000)}`,
    '/v1/instances//terminal',
  ]
  test.each(targets)('of %j is refused in the one form, and the server lives on', async (target) => {
    const answer = await sendBytes(platform.url, upgrade(target))
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /u)
    expect(answer).toContain('x-content-type-options: nosniff')
    expect(typeof codeOf(JSON.parse(answer.split('\r\n\r\n')[1] ?? ''))).toBe('string')
    expect((await platform.call('GET', '/v1/version')).status).toBe(200)
  })
})

describe('the inventory of routes', () => {
  const operations = Object.entries<Endpoint | Stream | Protocol>(contract)

  test('the OpenAPI document holds every operation, and nothing that does not answer', async () => {
    const document = openApiDocument(contract, '1.2.3', declarations)
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    const declared = operations
      .map(([, one]) => one)
      .filter((one) => one.kind !== 'protocol')
      .map((one) => `${one.method} ${one.path.replaceAll(/:([a-z]+)/giu, '{$1}')}`)
    expect(declared.filter((one) => !documented.includes(one))).toEqual([])
    for (const one of documented.filter((entry) => !declared.includes(entry)))
      expect(one, 'only protocols are documented beside').toMatch(/ \/(v2|console)\//u)
  })

  test('every operation answers, and not with "no such route"', async () => {
    for (const [name, one] of operations) {
      if (one.kind === 'protocol' || (one.kind === 'stream' && one.transport === 'websocket')) continue
      const path = one.path.replaceAll(/:([a-z]+)/giu, 'x')
      const answer = await sendRaw(platform.url, one.method, path)
      expect(answer.status, name).toBeLessThan(500)
      if (answer.status === 404) expect(codeOf(JSON.parse(answer.text)), name).not.toBe('route_unknown')
    }
  })
})
