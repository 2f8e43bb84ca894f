/*
 * Every operation of the contract under generated inputs, as an operator and as the owner of an Organization with real objects.
 * SLIPWAY_FUZZ_SEED repeats a run, SLIPWAY_FUZZ_SECONDS makes it longer.
 */
import { contract, ErrorBody, type Endpoint, type Protocol, type Stream } from '@slipway/contract'
import { newSecret, systemClock } from '@slipway/kit'
import { errorCodes } from '@slipway/messages'
import type { TestPlatform } from '@slipway/testkit'
import fc from 'fast-check'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { valuesOf } from './generate.helper.ts'
import { kubeconfigOf, startWorld, type World } from './world.helper.ts'

const SECONDS = Number(process.env['SLIPWAY_FUZZ_SECONDS'] ?? 20)
const SEED = Number(
  process.env['SLIPWAY_FUZZ_SEED'] ?? Math.floor(systemClock.now().getTime() / 1_000) % 1_000_000,
)
const HANG_MS = 20_000
const CANARIES = 30
/** Refusals with a status of 500 and more that say what they mean: the Cluster of this world cannot be reached. */
const EXPECTED_FAILURES = new Set(['cluster_unreachable', 'sign_in_busy'])

const canaries = Array.from({ length: CANARIES }, () => `Canary1-${newSecret(12)}`)
const logged: string[] = []
let world: World
let platform: TestPlatform
const codes = new Set<string>(errorCodes())

beforeAll(async () => {
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) })
  world = await startWorld({ parts: { log }, clusterToken: canaries[0] ?? '' })
  platform = world.platform
  await plantCanaries()
})
afterAll(() => world[Symbol.asyncDispose]())

async function plantCanaries(): Promise<void> {
  const call = async (method: string, path: string, body: unknown): Promise<number> =>
    (await platform.call(method, path, { secret: world.operator, body })).status
  const workload = world.ids['workload'] ?? ''
  const set = canaries.slice(1, 21).map((value, index) => ({ name: `SECRET_${index}`, value, secret: true }))
  expect(await call('POST', `/v1/workloads/${workload}/config-revisions`, { set })).toBe(201)
  for (const [index, password] of canaries.slice(21, 27).entries())
    expect(await call('POST', '/v1/users', { name: `canary-${index}`, password })).toBe(201)
  // Refused credentials are secrets as well.
  const wrong = { name: 'admin', password: canaries[27] }
  expect(await call('POST', '/v1/sessions', wrong)).toBe(401)
  const cluster = { slug: 'far', kubeconfig: kubeconfigOf(canaries[28] ?? '') }
  expect(await call('POST', '/v1/clusters', cluster)).toBe(503)
  const path = `/v1/users/${world.owner.id}`
  expect(await call('PATCH', path, { password: canaries[29] })).toBe(200)
  world = { ...world, owner: { ...world.owner, secret: await signIn(canaries[29] ?? '') } }
}

async function signIn(password: string): Promise<string> {
  const answer = await platform.call('POST', '/v1/sessions', {
    body: { name: 'owner-of-acme', password, delivery: 'bearer' },
  })
  return String(answer.body['secret'])
}

/** Ending the session, or changing who the callers are, would make every later request a 401. */
const tooMuch = new Set(['signOut', 'signOutEverywhere', 'changePassword', 'updateUser'])
const operations = Object.entries<Endpoint | Stream | Protocol>(contract).filter(
  (entry): entry is [string, Endpoint] => entry[1].kind === 'endpoint' && !tooMuch.has(entry[0]),
)

type Input = { readonly params: unknown; readonly query: unknown; readonly body: unknown }

function inputsOf(endpoint: Endpoint): fc.Arbitrary<Input> {
  const known = Object.values(world.ids)
  return fc.record({
    params: valuesOf(endpoint.params, known),
    query: valuesOf(endpoint.query, known),
    body: valuesOf(endpoint.body, known),
  })
}

function pathOf(endpoint: Endpoint, { params, query }: Input, dryRun: boolean): string {
  const values = (typeof params === 'object' && params !== null ? params : {}) as Record<string, unknown>
  const path = endpoint.path.replaceAll(/:([a-z]+)/giu, (_, name: string) =>
    encode(textOf(values[name] ?? world.ids[name])),
  )
  const pairs = typeof query === 'object' && query !== null ? Object.entries(query) : []
  const all: [string, unknown][] = [...pairs, ...(dryRun ? [['dryRun', 'true'] as [string, unknown]] : [])]
  const text = all.map(([key, value]) => `${encode(key)}=${encode(textOf(value))}`).join('&')
  return text === '' ? path : `${path}?${text}`
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null)
}

/** Half a surrogate pair has no encoding in an address; what a client would send is the replacement character. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

type Found = {
  readonly name: string
  readonly problem: string
  readonly path: string
  readonly body: unknown
}
let statuses: Record<number, number> = {}

async function send(name: string, endpoint: Endpoint, input: Input, nth: number): Promise<Found | undefined> {
  const secret = nth % 2 === 0 ? world.operator : world.owner.secret
  // Nothing is really deleted, or added without end, so that later requests still find their objects; some changes are real.
  const isReal = endpoint.method === 'GET' || (nth % 4 === 0 && ['PATCH', 'PUT'].includes(endpoint.method))
  const path = pathOf(endpoint, input, !isReal)
  const started = performance.now()
  const response = await fetch(new URL(path, platform.url), {
    method: endpoint.method,
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    redirect: 'manual',
    ...(endpoint.method === 'GET' ? {} : { body: JSON.stringify(input.body) ?? '' }),
  })
  const text = await response.text()
  const found = (problem: string): Found => ({ name, problem, path, body: input.body })
  statuses[response.status] = (statuses[response.status] ?? 0) + 1
  if (performance.now() - started > HANG_MS) return found(`took ${performance.now() - started} ms`)
  const leaked = canaries.find((canary) => text.includes(canary))
  if (leaked !== undefined && !JSON.stringify(input).includes(leaked)) return found('a secret was answered')
  if (response.ok)
    return endpoint.response.safeParse(text === '' ? undefined : JSON.parse(text)).success
      ? undefined
      : found(`not as declared: ${text}`)
  const refusal = ErrorBody.safeParse(JSON.parse(text))
  if (!refusal.success) return found(`not the one form of errors: ${text}`)
  const { code } = refusal.data.error
  if (!codes.has(code)) return found(`the code ${code} has no text`)
  if (response.status >= 500 && !EXPECTED_FAILURES.has(code))
    return found(`${response.status} ${causeOf(refusal.data.error.requestId) ?? text}`)
  return undefined
}

/** What the log says about a request. */
function causeOf(requestId: string): string | undefined {
  return logged.find((line) => line.includes(requestId) && line.includes('"err"'))?.slice(0, 600)
}

/** The limits per minute are tested elsewhere; here they would answer for everything else. */
async function forgetRates(): Promise<void> {
  await world.database.query('delete from http_rate')
}

test(
  `no input makes an operation fail, answer what it did not declare, or tell a secret (seed ${SEED})`,
  { timeout: (SECONDS + 60) * 1_000 },
  async () => {
    const prototype = Object.getOwnPropertyNames(Object.prototype).sort()
    const found = new Map<string, Found>()
    const endsAt = performance.now() + SECONDS * 1_000
    statuses = {}
    let requests = 0
    for (let round = 0; performance.now() < endsAt; round += 1) {
      await forgetRates()
      for (const [index, [name, endpoint]] of operations.entries()) {
        if (performance.now() >= endsAt) break
        const inputs = fc.sample(inputsOf(endpoint), { seed: SEED + round * 1_000 + index, numRuns: 8 })
        // One name cannot be tried to sign in very often, and a password hash is dear.
        const few = endpoint.rate === 'login' ? inputs.slice(0, 1) : inputs
        const results = await Promise.all(few.map((input, nth) => send(name, endpoint, input, nth)))
        requests += few.length
        for (const one of results) if (one) found.set(`${one.name} ${one.problem.slice(0, 30)}`, one)
      }
    }
    console.info(`fuzz: seed ${SEED}, ${requests} requests, statuses ${JSON.stringify(statuses)}`)
    expect([...found.values()]).toEqual([])
    expect(requests).toBeGreaterThan(operations.length)
    expect(statuses[200] ?? 0).toBeGreaterThan(0)
    expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(prototype)
    expect((await platform.call('GET', '/v1/health')).status).toBe(200)
    expect((await platform.call('GET', '/v1/account', { secret: world.operator })).status).toBe(200)
  },
)

test('no planted secret stands in a log line, an audit event or anywhere in the database', async () => {
  expect(logged.length).toBeGreaterThan(0)
  const lines = logged.join('')
  const { rows } = await world.database.query<{ name: string }>(
    `select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`,
  )
  let text = ''
  for (const { name } of rows) {
    const all = await world.database.query<{ text: string | null }>(
      `select string_agg(t::text, '|') as text from "${name}" t`,
    )
    text += all.rows[0]?.text ?? ''
  }
  expect(text).toContain('SECRET_0')
  for (const canary of canaries) {
    expect(lines.includes(canary), 'the log').toBe(false)
    expect(text.includes(canary), 'the database').toBe(false)
    expect(
      text.includes(Buffer.from(canary).toString('base64').slice(0, -2)),
      'the database, in base64',
    ).toBe(false)
  }
})

const payloads = ['__proto__', 'constructor', 'prototype'].flatMap((key) => [
  `{"${key}":{"polluted":true}}`,
  `{"name":"x","${key}":{"polluted":true}}`,
  `{"name":{"${key}":{"polluted":true}}}`,
  `{"a":[{"${key}":{"polluted":true}}]}`,
  `{"${key.replace('o', '\\u006f')}":{"polluted":true}}`,
  `[{"${key}":1}]`,
])

test('no body reaches a prototype, whatever operation takes it', async () => {
  await forgetRates()
  for (const [name, endpoint] of operations) {
    if (endpoint.method === 'GET' || endpoint.rate === 'login') continue
    const path = pathOf(endpoint, { params: {}, query: {}, body: {} }, true)
    const answers = await Promise.all(
      payloads.map((body) => platform.call(endpoint.method, path, { secret: world.operator, body })),
    )
    for (const { status, body } of answers)
      expect([400, 403, 404, 429], `${name} ${JSON.stringify(body)}`).toContain(status)
  }
  for (const key of ['__proto__[polluted]', '__proto__.polluted', 'constructor[prototype][polluted]'])
    expect((await platform.call('GET', `/v1/projects?${key}=1`, { secret: world.operator })).status).toBe(400)
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})
