import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { manualClock, systemClock } from '@slipway/kit'
import { afterEach, describe, expect, expectTypeOf, test } from 'vitest'

import { ApiError, createClient, itemsOf, type Client } from './index.ts'

/* A stand-in answers as the contract says, so that losses and refusals can be made at will. */
type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void
type StandIn = { readonly url: string; readonly seen: Seen[]; readonly close: () => Promise<void> }
type Seen = {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

const open: StandIn[] = []
afterEach(async () => {
  for (const standIn of open.splice(0)) await standIn.close()
})

async function standInOf(...handlers: Handler[]): Promise<StandIn> {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8')
      seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body })
      const handler = handlers[Math.min(seen.length, handlers.length) - 1]
      handler?.(request, response, body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const standIn: StandIn = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  open.push(standIn)
  return standIn
}

const json =
  (status: number, body?: unknown, headers: Readonly<Record<string, string>> = {}): Handler =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(body === undefined ? undefined : JSON.stringify(body))
  }
const refusal = (status: number, code: string, params = {}, headers = {}): Handler =>
  json(status, { error: { code, message: 'English', params, requestId: 'req_1' } }, headers)
const lost: Handler = (_, response) => response.destroy()
const quick = { now: systemClock.now, random: () => 0 }
/** Waits no time, but keeps the order of things. */
const hasty = { ...systemClock, sleep: () => new Promise<void>((resolve) => setImmediate(resolve)) }

const clientOf = (standIn: StandIn, options = {}): Client =>
  createClient({
    server: standIn.url,
    credentials: { bearer: 's3cret' },
    clock: hasty,
    random: quick.random,
    ...options,
  })

describe('a request', () => {
  test('spreads a flat request over path, query and body and proves who calls', async () => {
    const standIn = await standInOf(json(201, { id: 'prj_1' }))
    const made = await clientOf(standIn, { userAgent: 'slipway/1' }).createProject(
      { organization: 'org/../x', slug: 'shop', name: 'Shop' },
      { dryRun: true },
    )
    expect(made).toEqual({ id: 'prj_1' })
    expect(standIn.seen[0]).toMatchObject({
      method: 'POST',
      url: '/v1/organizations/org%2F..%2Fx/projects?dryRun=true',
      body: '{"slug":"shop","name":"Shop"}',
    })
    expect(standIn.seen[0]?.headers).toMatchObject({
      authorization: 'Bearer s3cret',
      'user-agent': 'slipway/1',
    })
    expect(standIn.seen[0]?.headers['idempotency-key']).toMatch(/^[0-9a-f]{32}$/u)
  })

  test('sends query values as text and leaves out what is undefined', async () => {
    const standIn = await standInOf(json(200, { items: [] }))
    await clientOf(standIn).listProjects({ limit: 7, slug: undefined, organization: 'org_1' })
    expect(standIn.seen[0]).toMatchObject({
      method: 'GET',
      url: '/v1/projects?limit=7&organization=org_1',
      body: '',
    })
    expect(standIn.seen[0]?.headers).not.toHaveProperty('idempotency-key')
  })

  test.each([[undefined], [''], ['..'], [{}]])(
    'refuses %o as a part of the path before anything is sent',
    async (project) => {
      const standIn = await standInOf(json(200, {}))
      await expect(clientOf(standIn).getProject({ project } as never)).rejects.toThrow(TypeError)
      expect(standIn.seen).toEqual([])
    },
  )

  test('returns undefined for 204', async () => {
    const standIn = await standInOf((_, response) => response.writeHead(204).end())
    expect(await clientOf(standIn).deleteProject({ project: 'prj_1' })).toBeUndefined()
  })

  test('never follows a redirect, which would take the token elsewhere', async () => {
    const standIn = await standInOf(json(302, {}, { location: 'http://127.0.0.1:1/' }))
    await expect(clientOf(standIn, { attemptsMax: 1 }).whoami()).rejects.toMatchObject({
      code: 'server_unreachable',
    })
  })
})

describe('a refusal', () => {
  test('becomes an ApiError with code, status, parameters and request id', async () => {
    const standIn = await standInOf(refusal(409, 'slug_taken', { slug: 'shop' }))
    const error: unknown = await clientOf(standIn)
      .createOrganization({ slug: 'shop', name: 'Shop' })
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ApiError)
    expect(error).toMatchObject({
      code: 'slug_taken',
      status: 409,
      params: { slug: 'shop' },
      requestId: 'req_1',
      message: 'English',
    })
  })

  test("a proxy's page is told apart from the platform's answers", async () => {
    const standIn = await standInOf((_, response) => response.writeHead(502).end('<html>'))
    await expect(clientOf(standIn).whoami()).rejects.toMatchObject({ code: 'answer_invalid', status: 502 })
  })

  test('an answer that is not JSON is an error, not undefined', async () => {
    const standIn = await standInOf((_, response) => response.writeHead(200).end('hello'))
    await expect(clientOf(standIn).whoami()).rejects.toMatchObject({ code: 'answer_invalid' })
  })
})

describe('repeating', () => {
  const cases: [
    what: string,
    first: Handler,
    call: (client: Client) => Promise<unknown>,
    attempts: number,
  ][] = [
    ['a read after a lost connection', lost, (client) => client.whoami(), 2],
    ['a read after 503', refusal(503, 'database_unavailable'), (client) => client.whoami(), 2],
    [
      'a read after 429 with a short wait',
      refusal(429, 'rate_limited', {}, { 'retry-after': '1' }),
      (client) => client.whoami(),
      2,
    ],
    ['a POST after a lost connection', lost, (client) => client.createToken({ name: 't' }), 2],
    [
      'a PATCH after a lost connection',
      lost,
      (client) => client.updateProject({ project: 'prj_1', name: 'x' }),
      1,
    ],
    [
      'a DELETE after 503',
      refusal(503, 'database_unavailable'),
      (client) => client.deleteProject({ project: 'prj_1' }),
      1,
    ],
    ['a read after 404', refusal(404, 'not_found'), (client) => client.whoami(), 1],
    [
      'a read that is asked to wait longer than it has',
      refusal(429, 'rate_limited', {}, { 'retry-after': '3600' }),
      (client) => client.whoami(),
      1,
    ],
  ]
  test.each(cases)('%s', async (_, first, call, attempts) => {
    const standIn = await standInOf(first, json(200, { ok: true }))
    await call(clientOf(standIn)).catch(() => undefined)
    expect(standIn.seen).toHaveLength(attempts)
  })

  test('keeps the Idempotency-Key over all attempts, and takes the caller’s', async () => {
    const standIn = await standInOf(lost, refusal(503, 'database_unavailable'), json(201, {}))
    await clientOf(standIn).createToken({ name: 't' })
    expect(new Set(standIn.seen.map((one) => one.headers['idempotency-key'])).size).toBe(1)
    await clientOf(standIn).createToken({ name: 't' }, { idempotencyKey: 'mine' })
    expect(standIn.seen.at(-1)?.headers['idempotency-key']).toBe('mine')
  })

  test('gives up after the last attempt with what it saw', async () => {
    const standIn = await standInOf(refusal(503, 'database_unavailable'))
    await expect(clientOf(standIn, { attemptsMax: 3 }).whoami()).rejects.toMatchObject({ status: 503 })
    expect(standIn.seen).toHaveLength(3)
  })
})

describe('deadlines', () => {
  test('a silent server ends in request_timed_out', async () => {
    const clock = manualClock()
    let arrived = (): void => undefined
    const arrival = new Promise<void>((resolve) => (arrived = resolve))
    const standIn = await standInOf(() => arrived())
    const call = clientOf(standIn, { clock, timeoutMs: 5_000 })
      .whoami()
      .catch((thrown: unknown) => thrown)
    await arrival
    await clock.advance(5_000)
    expect(await call).toMatchObject({ code: 'request_timed_out', params: { seconds: 5 } })
  })

  test("the caller's signal ends a call with its own reason", async () => {
    const controller = new AbortController()
    const standIn = await standInOf(() => controller.abort(new Error('enough')))
    await expect(clientOf(standIn).whoami({}, { signal: controller.signal })).rejects.toThrow('enough')
  })
})

describe('lists', () => {
  test('are read page by page, and item by item', async () => {
    const standIn = await standInOf(
      json(200, { items: [{ id: 1 }, { id: 2 }], cursor: 'next' }),
      json(200, { items: [{ id: 3 }] }),
    )
    const ids: unknown[] = []
    for await (const project of itemsOf(clientOf(standIn).pages.listProjects({ limit: 2 })))
      ids.push(project.id)
    expect(ids).toEqual([1, 2, 3])
    expect(standIn.seen.map((one) => one.url)).toEqual([
      '/v1/projects?limit=2',
      '/v1/projects?limit=2&cursor=next',
    ])
  })

  test('stop asking when the reader stops reading', async () => {
    const standIn = await standInOf(json(200, { items: [{ id: 1 }], cursor: 'next' }))
    for await (const page of clientOf(standIn).pages.listProjects()) {
      expect(page.items).toHaveLength(1)
      break
    }
    expect(standIn.seen).toHaveLength(1)
  })
})

test('a call by name reaches the same operation, and an unknown name is refused', async () => {
  const standIn = await standInOf(json(200, { id: 'prj_1' }))
  expect(await clientOf(standIn).call('getProject', { project: 'prj_1' })).toEqual({ id: 'prj_1' })
  await expect(clientOf(standIn).call('toString' as never, {})).rejects.toThrow('no operation')
})

test('only http and https addresses make a client', () => {
  expect(() => createClient({ server: 'file:///etc/passwd' })).toThrow(TypeError)
  expect(() => createClient({ server: 'nowhere' })).toThrow(TypeError)
})

test('the types follow the contract', () => {
  type Made = Awaited<ReturnType<Client['createProject']>>
  expectTypeOf<Made['slug']>().toEqualTypeOf<string>()
  expectTypeOf<Parameters<Client['whoami']>>().toExtend<[object?, object?]>()
  expectTypeOf<Parameters<Client['setMember']>[0]['role']>().toEqualTypeOf<
    'owner' | 'maintainer' | 'developer' | 'viewer'
  >()
  expectTypeOf<NonNullable<Parameters<Client['listProjects']>[0]>['limit']>().toEqualTypeOf<
    number | undefined
  >()
  // @ts-expect-error the project is missing
  expectTypeOf<Client['getProject']>().toBeCallableWith({})
})
