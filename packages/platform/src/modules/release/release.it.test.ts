import { systemClock, waitFor } from '@slipway/kit'
import {
  makeWorkload,
  pushProgram,
  testCluster,
  testPlatform,
  type TestPlatform,
  type TestWorkload,
} from '@slipway/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

/*
 * The engine against the embedded cluster, through the HTTP API. Instances are real processes of a small Node program, pushed as
 * Images without a build.
 */
type Release = {
  readonly id: string
  readonly state: string
  readonly batch: number
  readonly weight: number
  readonly paused: boolean
  readonly counts: {
    readonly newReady: number
    readonly oldReady: number
    readonly newWanted: number
    readonly oldWanted: number
  }
  readonly reason: { readonly code: string } | null
}
type Event = {
  readonly at: string
  readonly kind: string
  readonly code: string
  readonly batch: number
  readonly params: Record<string, unknown>
}

const WAIT_MS = 20_000
let cluster: Awaited<ReturnType<typeof testCluster>>
let platform: TestPlatform
let operator: string

beforeAll(async () => {
  cluster = await testCluster()
  platform = await testPlatform({ localKubeconfig: cluster.kubeconfigPath })
  operator = await platform.becomeOperator()
})
afterAll(async () => {
  await platform[Symbol.asyncDispose]()
  await cluster.stop()
})

/** A program that says its version; `more` runs first. */
const program = (version: string, more = ''): string => `
${more}
const { createServer } = require('node:http')
const server = createServer((request, response) => response.end('${version}'))
server.listen(Number(process.env.PORT), process.env.HOST)
process.on('SIGTERM', () => { server.close(() => process.exit(0)); server.closeIdleConnections() })
`
const push = (shop: TestWorkload, tag: string, text = program(tag)): Promise<string> =>
  pushProgram(platform, { secret: operator, repository: shop.repository, tag, program: text })

async function post(path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await platform.call('POST', path, {
    secret: operator,
    ...(body === undefined ? {} : { body }),
  })
  expect([answer.status, answer.body]).toEqual([202, answer.body])
  return answer.body
}
const read = async (id: string): Promise<Release> =>
  (await platform.call('GET', `/v1/releases/${id}`, { secret: operator })).body as unknown as Release
const journal = async (id: string): Promise<Event[]> =>
  (await platform.call('GET', `/v1/releases/${id}/events?limit=200`, { secret: operator })).body[
    'items'
  ] as Event[]

async function start(shop: TestWorkload, image: string, more: Record<string, unknown> = {}): Promise<string> {
  return String((await post(`/v1/workloads/${shop.workloadId}/releases`, { image, ...more }))['id'])
}

async function reaches(id: string, state: string, batch?: number): Promise<Release> {
  let last: Release | undefined
  try {
    return await waitFor(
      systemClock,
      `release to reach ${state}`,
      async () => {
        last = await read(id)
        return last.state === state && (batch === undefined || last.batch === batch) ? last : undefined
      },
      { timeoutMs: WAIT_MS },
    )
  } catch (thrown) {
    throw new Error(`${String(thrown)}: ${JSON.stringify(last)} ${JSON.stringify(await journal(id))}`, {
      cause: thrown,
    })
  }
}

/** What answers through the gateway. */
async function ask(shop: TestWorkload, headers: Record<string, string> = {}): Promise<string> {
  const [project = ''] = shop.repository.split('/')
  const response = await fetch(await addressOf(shop), {
    headers: { host: `web.test.${project}.localhost`, ...headers },
  })
  return response.status === 200 ? response.text() : `HTTP ${response.status}`
}
async function addressOf(shop: TestWorkload): Promise<string> {
  const { body } = await platform.call('GET', `/v1/workloads/${shop.workloadId}`, { secret: operator })
  return String((body['urls'] as string[]).at(-1))
}

async function answersOf(
  shop: TestWorkload,
  count: number,
  headers: Record<string, string> = {},
): Promise<Record<string, number>> {
  const tally: Record<string, number> = {}
  for (let index = 0; index < count; index += 1) {
    const answer = await ask(shop, headers)
    tally[answer] = (tally[answer] ?? 0) + 1
  }
  return tally
}

async function show(id: string): Promise<void> {
  const events = await journal(id)
  const first = Date.parse(events[0]?.at ?? '')
  for (const event of events)
    process.stderr.write(
      `${Date.parse(event.at) - first} ms ${event.kind} ${event.code} b${event.batch} ${JSON.stringify(event.params)}\n`,
    )
}

test('one, a person, the rest; a canary by header, then by weight; a rollback without a build', async () => {
  const shop = await makeWorkload(platform, operator)
  await push(shop, 'a')
  await push(shop, 'b')
  const first = await start(shop, 'a', {
    instances: { web: 4 },
    plan: { batches: [{ instances: 1, approve: true }, { percent: 100 }] },
  })
  expect((await reaches(first, 'WaitPerson')).counts).toMatchObject({ newReady: 1, newWanted: 1 })
  expect(await answersOf(shop, 3)).toEqual({ a: 3 })
  await post(`/v1/releases/${first}/approvals`, { batch: 0 })
  expect((await reaches(first, 'Done')).counts).toMatchObject({ newReady: 4 })
  await show(first)

  const second = await start(shop, 'b', {
    plan: {
      batches: [{ header: 'x-gray: 1', approve: true }, { weight: 25, approve: true }, { percent: 100 }],
    },
  })
  await reaches(second, 'WaitPerson', 0)
  expect(await answersOf(shop, 5, { 'x-gray': '1' })).toEqual({ b: 5 })
  expect(await answersOf(shop, 5)).toEqual({ a: 5 })
  await post(`/v1/releases/${second}/approvals`, { batch: 0 })
  await reaches(second, 'WaitPerson', 1)
  expect(await answersOf(shop, 40)).toEqual({ a: 30, b: 10 })
  await post(`/v1/releases/${second}/approvals`, { batch: 1 })
  await reaches(second, 'Done')
  expect(await answersOf(shop, 8)).toEqual({ b: 8 })
  await show(second)

  const back = await post(`/v1/workloads/${shop.workloadId}/rollbacks`, {})
  const began = systemClock.monotonicMs()
  await waitFor(systemClock, 'the old version to answer', async () => (await ask(shop)) === 'a', {
    timeoutMs: WAIT_MS,
  })
  const tookMs = systemClock.monotonicMs() - began
  await reaches(String(back['id']), 'Done')
  await show(String(back['id']))
  process.stderr.write(`rollback: ${Math.round(tookMs)} ms\n`)
  expect(await answersOf(shop, 8)).toEqual({ a: 8 })
})
