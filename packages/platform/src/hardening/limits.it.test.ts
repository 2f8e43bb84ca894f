/* What one caller can make the platform hold, read, count or wait for. */
import { BODY_LIMIT_BYTES, RATE_LIMITS, STREAMS_PER_ACCOUNT, type RateClass } from '@slipway/contract'
import { MINUTE_MS, systemClock, waitFor, type Clock } from '@slipway/kit'
import type { TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { codeOf, openSocket, readToEnd, sendBytes, sendRaw } from './wire.helper.ts'
import { startWorld, type World } from './world.helper.ts'

/** Deadlines come ten times as early, so that the test need not sit through them. */
const hasty: Clock = { ...systemClock, after: (ms, run) => systemClock.after(ms / 10, run) }

let world: World
let platform: TestPlatform
let head: string

beforeAll(async () => {
  world = await startWorld({ settings: { trustedProxies: '127.0.0.1/32' }, parts: { clock: hasty } })
  platform = world.platform
  head = `Host: ${new URL(platform.url).host}\r\nContent-Type: application/json\r\n`
})
afterAll(() => world[Symbol.asyncDispose]())

const bodyOf = (answer: string): unknown => JSON.parse(answer.split('\r\n\r\n')[1] ?? '')
const alive = async (): Promise<void> => expect((await platform.call('GET', '/v1/health')).status).toBe(200)

describe('a body', () => {
  test('beyond the limit is refused by its announced length, before a byte of it is read', async () => {
    const answer = await sendBytes(
      platform.url,
      `POST /v1/sessions HTTP/1.1\r\n${head}Content-Length: ${BODY_LIMIT_BYTES + 1}\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 413 /u)
    expect(codeOf(bodyOf(answer))).toBe('body_too_large')
  })

  test('in chunks without an end is refused at the limit, and its connection ends', async () => {
    const socket = await openSocket(platform.url)
    socket.write(`POST /v1/sessions HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n`)
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`
    const feeding = systemClock.every(5, () => socket.writable && socket.write(chunk))
    const answer = await readToEnd(socket)
    feeding[Symbol.dispose]()
    expect(answer).toMatch(/^HTTP\/1\.1 413 /u)
    await alive()
  })

  test('that comes drop by drop is given up, and its connection ends', async () => {
    const socket = await openSocket(platform.url)
    socket.write(`POST /v1/sessions HTTP/1.1\r\n${head}Content-Length: 1000\r\n\r\n`)
    const dripping = systemClock.every(50, () => socket.writable && socket.write(' '))
    const answer = await readToEnd(socket)
    dripping[Symbol.dispose]()
    expect(answer).toMatch(/^HTTP\/1\.1 408 /u)
    expect(codeOf(bodyOf(answer))).toBe('body_too_slow')
    await alive()
  })

  test('that breaks off changes nothing and harms nobody', async () => {
    for (const sent of ['', '{', '{"slug":"broken","name":"x"}'.slice(0, -1)]) {
      const socket = await openSocket(platform.url)
      socket.write(
        `POST /v1/organizations HTTP/1.1\r\n${head}Authorization: Bearer ${world.operator}\r\nContent-Length: 28\r\n\r\n${sent}`,
      )
      socket.end()
      await readToEnd(socket)
    }
    await alive()
    const listed = await platform.call('GET', '/v1/organizations?slug=broken', { secret: world.operator })
    expect(listed.body).toEqual({ items: [] })
  })

  test.each([
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'input_invalid'],
    ['100 levels', Buffer.from('['.repeat(100)), 'json_too_deep'],
    ['250,000 levels', Buffer.from('['.repeat(250_000)), 'json_too_deep'],
    ['levels of objects', Buffer.from('{"a":'.repeat(40_000)), 'json_too_deep'],
    ['a number of 200,000 digits', Buffer.from(`{"slug":${'9'.repeat(200_000)}}`), 'input_invalid'],
    [
      '100,000 keys',
      Buffer.from(`{${Array.from({ length: 20_000 }, (_, index) => `"k${index}":1`).join(',')}}`),
      'input_invalid',
    ],
    ['a byte order mark', Buffer.from('\ufeff{"slug":"bom","name":"x"}'), 'json_invalid'],
  ])('of %s is refused', async (_, bytes, expected) => {
    const response = await fetch(new URL('/v1/organizations', platform.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${world.operator}`, 'content-type': 'application/json' },
      body: bytes,
    })
    expect([response.status, codeOf(await response.json())]).toEqual([400, expected])
  })
})

describe('connections', () => {
  test('whose headers never end are ended', async () => {
    const socket = await openSocket(platform.url)
    socket.write('GET /v1/version HTTP/1.1\r\nHost: x\r\n')
    const dripping = systemClock.every(500, () => socket.writable && socket.write('a: b\r\n'))
    const answer = await readToEnd(socket)
    dripping[Symbol.dispose]()
    expect(answer).toMatch(/^HTTP\/1\.1 408 /u)
    expect(codeOf(bodyOf(answer))).toBe('headers_too_slow')
  })

  test('that idle by the hundred keep nobody out', async () => {
    const sockets = await Promise.all(Array.from({ length: 500 }, () => openSocket(platform.url)))
    sockets.forEach((socket) => socket.write(`GET /v1/version HTTP/1.1\r\n${head}\r\n`))
    await alive()
    sockets.forEach((socket) => socket.destroy())
    await alive()
  })
})

describe('sign-ins', () => {
  test('at once, from many addresses, are answered all: what the queue cannot take with 503', async () => {
    const answers = await Promise.all(
      Array.from({ length: 150 }, (_, index) =>
        sendRaw(platform.url, 'POST', '/v1/sessions', {
          headers: { 'content-type': 'application/json', 'x-forwarded-for': `10.1.${index}.1` },
          body: JSON.stringify({ name: `nobody-${index}`, password: 'wrong wrong wrong' }),
        }),
      ),
    )
    const codes = answers.map(({ text }) => codeOf(JSON.parse(text)))
    expect(new Set(codes)).toEqual(new Set(['credentials_wrong', 'sign_in_busy']))
    const busy = answers.filter(({ status }) => status === 503)
    expect(busy.every(({ headers }) => Number(headers['retry-after']) > 0)).toBe(true)
    await alive()
  })

  test('for one name from many addresses do not lock its owner out', async () => {
    for (let index = 0; index < 40; index += 1)
      await sendRaw(platform.url, 'POST', '/v1/sessions', {
        headers: { 'content-type': 'application/json', 'x-forwarded-for': `10.2.${index >> 3}.1` },
        body: JSON.stringify({ name: 'admin', password: 'wrong wrong wrong' }),
      })
    const own = await platform.call('POST', '/v1/sessions', {
      body: { name: 'admin', password: 'a long test password' },
    })
    expect(own.status).toBe(201)
  })
})

async function exhaust(key: string, limit: number): Promise<void> {
  const minute = Math.floor(systemClock.now().getTime() / MINUTE_MS)
  await world.database.query(
    `insert into http_rate select $1, m, $2 from unnest($3::bigint[]) m on conflict (key, minute) do update set count = $2`,
    [key, limit, [minute, minute + 1]],
  )
}

describe('allowances', () => {
  const classes: [RateClass, method: string, path: string][] = [
    ['read', 'GET', '/v1/account'],
    ['write', 'POST', '/v1/tokens'],
    ['stream', 'GET', '/v1/releases/:release/follow'],
  ]
  test.each(classes)('of the class %s end with 429 and say when to come back', async (rate, method, path) => {
    const user = await platform.user(world.operator, `heavy-${rate}`)
    await exhaust(`${rate}:${user.id}`, RATE_LIMITS[rate])
    const answer = await platform.call(method, path.replace(':release', world.ids['release'] ?? ''), {
      secret: user.secret,
    })
    expect([answer.status, codeOf(answer.body)]).toEqual([429, 'rate_limited'])
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    // Somebody else goes on.
    expect((await platform.call('GET', '/v1/account', { secret: world.operator })).status).toBe(200)
  })

  test('count guesses at secrets against the address', async () => {
    await exhaust('read:10.9.9.9', RATE_LIMITS.read)
    const answer = await sendRaw(platform.url, 'GET', '/v1/account', {
      headers: { authorization: 'Bearer slpt_wrong', 'x-forwarded-for': '10.9.9.9' },
    })
    expect(codeOf(JSON.parse(answer.text))).toBe('rate_limited')
  })

  test('for open streams are counted and given back', async () => {
    const follow = `/v1/releases/${world.ids['release'] ?? ''}/follow`
    const ends = new AbortController()
    const open = (): Promise<Response> =>
      fetch(new URL(follow, platform.url), {
        headers: { authorization: `Bearer ${world.owner.secret}` },
        signal: ends.signal,
      })
    const streams = await Promise.all(Array.from({ length: STREAMS_PER_ACCOUNT }, open))
    expect(streams.every(({ status }) => status === 200)).toBe(true)
    const refused = await open()
    expect([refused.status, codeOf(await refused.json())]).toEqual([429, 'too_many_streams'])
    ends.abort()
    await waitFor(
      systemClock,
      'a stream to be free again',
      async () => {
        const signal = AbortSignal.timeout(10_000)
        const answer = await fetch(new URL(follow, platform.url), {
          headers: { authorization: `Bearer ${world.owner.secret}` },
          signal,
        })
        await answer.body?.cancel()
        return answer.status === 200
      },
      { timeoutMs: 30_000 },
    )
  })
})

test('fifty repeats of one Idempotency-Key at once have one effect and one answer', async () => {
  const answers = await Promise.all(
    Array.from({ length: 50 }, () =>
      platform.call('POST', `/v1/organizations/${world.ids['organization'] ?? ''}/projects`, {
        secret: world.operator,
        body: { slug: 'fifty', name: 'Fifty' },
        headers: { 'idempotency-key': 'fifty' },
      }),
    ),
  )
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
  expect(new Set(answers.map(({ body }) => body['id'])).size).toBe(1)
  const { rows } = await world.database.query(
    `select 1 from audit_event where action = 'project.create' and outcome = 'success' and target = $1`,
    [`project:${String(answers[0]?.body['id'])}`],
  )
  expect(rows.length).toBe(1)
})
