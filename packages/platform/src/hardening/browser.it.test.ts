/* What a page of another site can make a browser send, and what every answer tells a browser. */
import { contract, type Endpoint, type Protocol, type Stream } from '@slipway/contract'
import { freePort, testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { codeOf, sendBytes, sendRaw } from './wire.helper.ts'
import { startWorld, type World } from './world.helper.ts'

let platform: TestPlatform
let world: World
let cookie: string

beforeAll(async () => {
  world = await startWorld()
  platform = world.platform
  const session = await platform.call('POST', '/v1/sessions', {
    body: { name: 'admin', password: 'a long test password' },
  })
  cookie = String(session.headers.get('set-cookie')).split(';')[0] ?? ''
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
})

type Operation = Endpoint | Stream
const operations = Object.entries<Endpoint | Stream | Protocol>(contract).filter(
  (entry): entry is [string, Operation] => entry[1].kind !== 'protocol',
)
const mutating = operations.filter(([, { method, auth }]) => method !== 'GET' && auth === 'account')
const pathOf = ({ path }: Operation): string =>
  path.replaceAll(/:([a-z]+)/giu, (_, name: string) => world.ids[name] ?? 'x')

/** Requests as other sites can make a browser send them, with the cookie. */
const forgeries: [name: string, headers: Record<string, string>][] = [
  ['no Origin', {}],
  ['a foreign Origin', { origin: 'https://evil.example' }],
  ['an Origin of another port', { origin: 'http://localhost:1' }],
  ['an Origin that begins alike', { origin: 'http://localhost.evil.example' }],
  ['the Origin null', { origin: 'null' }],
  ['a cross-site fetch', { 'sec-fetch-site': 'cross-site' }],
  ['a same-site fetch', { 'sec-fetch-site': 'same-site' }],
  [
    'a foreign Origin that claims to be the same',
    { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
  ],
  ['a form', { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://evil.example' }],
]

describe('a change by cookie', () => {
  test.each(mutating)('%s is refused unless our own page asks', async (_, operation) => {
    for (const [name, headers] of forgeries) {
      const isForm = headers['content-type'] !== undefined && !headers['content-type'].includes('json')
      const answer = await sendRaw(platform.url, operation.method, pathOf(operation), {
        headers: { cookie, 'content-type': 'application/json', ...headers },
        body: '{}',
      })
      const expected = isForm && operation.kind === 'endpoint' ? 'media_type_unsupported' : 'origin_refused'
      expect(codeOf(JSON.parse(answer.text)), name).toBe(expected)
    }
  })

  test('is refused as text, form or file, which no page needs permission to send', async () => {
    for (const type of [
      'text/plain',
      'text/plain; a=application/json',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=a',
      'application/jsonp',
      'text/json',
    ])
      for (const path of ['/v1/organizations', '/v1/sessions', '/v1/first-run']) {
        const answer = await sendRaw(platform.url, 'POST', path, {
          headers: { cookie, origin: platform.url, 'content-type': type },
          body: '{"slug":"x","name":"x"}',
        })
        expect([answer.status, codeOf(JSON.parse(answer.text))], type).toEqual([
          415,
          'media_type_unsupported',
        ])
      }
  })

  test('never happens by GET', async () => {
    const done = async (): Promise<unknown> =>
      (await world.database.query(`select count(*) from audit_event where outcome = 'success'`)).rows
    const before = await done()
    for (const [name, operation] of mutating) {
      const answer = await sendRaw(platform.url, 'GET', pathOf(operation), {
        headers: { cookie, origin: platform.url, 'content-length': '2', 'content-type': 'application/json' },
        body: '{}',
      })
      // Some paths have a reading operation too; what matters is that nothing is recorded as done.
      expect(answer.status, name).not.toBe(500)
    }
    expect(await done()).toEqual(before)
  })

  test('is no matter of the cookie when a bearer secret is sent along', async () => {
    const answer = await platform.call('PATCH', `/v1/organizations/${world.ids['organization'] ?? ''}`, {
      secret: world.owner.secret,
      headers: { cookie, origin: 'https://evil.example' },
      body: { name: 'Renamed' },
    })
    expect(answer.status).toBe(200)
  })
})

describe('other sites', () => {
  test('are given no permission by any answer, asked before or not', async () => {
    for (const [method, headers] of [
      [
        'OPTIONS',
        { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
      ],
      ['GET', {}],
      ['POST', { 'content-type': 'application/json' }],
    ] as const)
      for (const path of ['/v1/version', '/v1/users', '/v1/sessions', '/docs', '/v2/']) {
        const answer = await sendRaw(platform.url, method, path, {
          headers: { origin: 'https://evil.example', ...headers },
        })
        expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
      }
  })

  test('cannot use the session in the registry', async () => {
    const answer = await sendRaw(platform.url, 'GET', '/v2/_catalog', {
      headers: { cookie, origin: platform.url },
    })
    expect(answer.status).toBe(401)
  })

  test('cannot open a WebSocket with the session', async () => {
    const { host } = new URL(platform.url)
    const sockets = operations.filter(([, one]) => one.kind === 'stream' && one.transport === 'websocket')
    for (const [name, operation] of sockets)
      for (const origin of ['https://evil.example', 'null', '']) {
        const answer = await sendBytes(
          platform.url,
          `GET ${pathOf(operation)} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
            `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n` +
            `${origin === '' ? '' : `Origin: ${origin}\r\n`}Cookie: ${cookie}\r\n\r\n`,
        )
        expect(answer, name).toContain('origin_refused')
      }
  })
})

describe('the cookie', () => {
  test('is HttpOnly, SameSite, for the whole host and no other, and ends with the session', async () => {
    const session = await platform.call('POST', '/v1/sessions', {
      body: { name: 'admin', password: 'a long test password' },
    })
    const parts = String(session.headers.get('set-cookie')).split('; ')
    expect(parts[0]).toMatch(/^slipway=slps_[\w-]{20,}$/u)
    expect(parts).toEqual(expect.arrayContaining(['Path=/', 'HttpOnly', 'SameSite=Lax']))
    expect(parts.filter((part) => part.startsWith('Domain'))).toEqual([])
    const ended = await platform.call('DELETE', '/v1/sessions/current', {
      headers: { cookie: parts[0] ?? '', origin: platform.url },
    })
    expect(ended.headers.get('set-cookie')).toMatch(/^slipway=; .*Expires=Thu, 01 Jan 1970/u)
  })

  test('has the host prefix and goes over https only where the public address is https', async () => {
    const port = await freePort()
    await using secure = await testPlatform({ publicUrl: 'https://slipway.example', port })
    const answer = await sendRaw(`http://127.0.0.1:${port}`, 'POST', '/v1/first-run', {
      headers: { host: 'slipway.example', 'content-type': 'application/json' },
      body: JSON.stringify({ token: secure.firstRunToken, name: 'admin', password: 'a long test password' }),
    })
    expect(String(answer.headers['set-cookie'])).toMatch(/^__Host-slipway=slps_.*; Secure$/u)
    expect(answer.headers['strict-transport-security']).toMatch(/^max-age=\d+/u)
  })

  test('that somebody else chose is never taken over at sign-in', async () => {
    const planted = 'slps_chosen-by-somebody-else-0000000000000'
    const session = await platform.call('POST', '/v1/sessions', {
      headers: { cookie: `slipway=${planted}`, origin: platform.url },
      body: { name: 'admin', password: 'a long test password' },
    })
    expect(session.status).toBe(201)
    expect(session.headers.get('set-cookie')).not.toContain(planted)
    const answer = await platform.call('GET', '/v1/account', { headers: { cookie: `slipway=${planted}` } })
    expect(answer.status).toBe(401)
  })
})

describe('every answer', () => {
  const requests: [
    name: string,
    method: string,
    path: string,
    headers?: Record<string, string>,
    body?: string,
  ][] = [
    ['200', 'GET', '/v1/version'],
    ['400', 'POST', '/v1/sessions', { 'content-type': 'application/json' }, '{'],
    ['400 of the router', 'GET', '/v1/%'],
    ['401', 'GET', '/v1/users'],
    ['404 of a route', 'GET', '/nothing'],
    ['404 of an overlong part', 'GET', `/v1/projects/${'a'.repeat(300)}`],
    [
      '413',
      'POST',
      '/v1/sessions',
      { 'content-type': 'application/json' },
      JSON.stringify('x'.repeat(300_000)),
    ],
    ['415', 'POST', '/v1/sessions', { 'content-type': 'text/plain' }, 'x'],
    ['421', 'GET', '/v1/version', { host: 'evil.example' }],
    ['the docs', 'GET', '/docs'],
    ['the document', 'GET', '/docs/openapi.json'],
    ['the registry', 'GET', '/v2/'],
    ['an unknown thing of the registry', 'GET', '/v2/a/b/manifests/latest'],
  ]
  test.each(requests)('carries the safe headers: %s', async (_, method, path, headers, body) => {
    const answer = await sendRaw(platform.url, method, path, {
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
    })
    expect(answer.headers['x-content-type-options']).toBe('nosniff')
    expect(answer.headers['content-security-policy']).toMatch(/default-src 'none'.*frame-ancestors 'none'/u)
    expect(answer.headers['referrer-policy']).toBe('no-referrer')
    expect(String(answer.headers['slipway-request-id'])).toMatch(/^req_/u)
    for (const telling of ['server', 'x-powered-by', 'via']) expect(answer.headers[telling]).toBeUndefined()
    if (answer.status >= 400 && !path.startsWith('/v2/'))
      expect(answer.headers['content-type']).toMatch(/^application\/json/u)
  })

  test.each([
    ['bytes that are no request', 'NONSENSE\r\n\r\n', 400],
    ['too large headers', `GET / HTTP/1.1\r\nHost: localhost\r\na: ${'b'.repeat(20_000)}\r\n\r\n`, 431],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 400],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['a header with a line break inside', 'GET / HTTP/1.1\r\nHost: x\r\na: b\rc\r\n\r\n', 400],
  ])('carries them even for %s', async (_, bytes, status) => {
    const answer = await sendBytes(platform.url, bytes)
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `, 'u'))
    expect(answer).toContain('x-content-type-options: nosniff')
    expect(typeof codeOf(JSON.parse(answer.split('\r\n\r\n')[1] ?? ''))).toBe('string')
  })
})
