import { systemClock, waitFor } from '@slipway/kit'
import {
  makeWorkload,
  pushProgram,
  testCluster,
  testPlatform,
  type TestPlatform,
  type TestWorkload,
} from '@slipway/testkit'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

// Real processes start and end with the back-off of a real cluster, on a machine that may have much to do.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

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
  readonly instances: Readonly<Record<string, number>>
}
type Event = {
  readonly at: string
  readonly kind: string
  readonly code: string
  readonly batch: number
  readonly params: Record<string, unknown>
}

const WAIT_MS = 60_000
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

  const back = await post(`/v1/workloads/${shop.workloadId}/rollbacks`, {})
  await waitFor(systemClock, 'the old version to answer', async () => (await ask(shop)) === 'a', {
    timeoutMs: WAIT_MS,
  })
  await reaches(String(back['id']), 'Done')
  expect(await answersOf(shop, 8)).toEqual({ a: 8 })
  const codes = (await journal(second)).map(({ kind, code, params }) =>
    `${kind} ${code} ${code === 'traffic' ? JSON.stringify(params['weight']) : ''}`.trim(),
  )
  expect(codes.filter((code) => code.startsWith('note') || code.startsWith('command'))).toEqual([
    'command created',
    'command approved',
    'note traffic 25',
    'command approved',
    'note traffic 100',
  ])
})

/** A Workload whose version `a` serves with `instances`. */
async function serving(instances: number): Promise<TestWorkload> {
  const shop = await makeWorkload(platform, operator)
  await push(shop, 'a')
  await reaches(await start(shop, 'a', { instances: { web: instances } }), 'Done')
  return shop
}

const CRASHING = "process.stderr.write('no configuration\\n'); process.exit(3)"

describe.concurrent('a version that fails', () => {
  const cases: [what: string, text: string, deadlineSeconds: number, reason: string][] = [
    ['crashes', CRASHING, 60, 'gate_crashing'],
    ['never listens', 'setInterval(() => undefined, 1_000)', 10, 'gate_deadline'],
    [
      'answers with errors only',
      program('bad').replace("response.end('bad')", "{ response.statusCode = 503; response.end('bad') }"),
      5,
      'gate_deadline',
    ],
  ]
  test.each(cases)(
    'that %s is taken back by itself, and nobody reached it',
    async (_, text, batchDeadlineSeconds, reason) => {
      const shop = await serving(2)
      await push(shop, 'bad', text)
      const id = await start(shop, 'bad', { plan: { batches: [{ instances: 1 }], batchDeadlineSeconds } })
      const tally: Record<string, number> = {}
      await waitFor(
        systemClock,
        'the release to end',
        async () => {
          const answer = await ask(shop)
          tally[answer] = (tally[answer] ?? 0) + 1
          return (await read(id)).state === 'RolledBack'
        },
        { timeoutMs: 2 * WAIT_MS },
      )
      expect((await read(id)).reason?.code).toBe(reason)
      expect(Object.keys(tally)).toEqual(['a'])
      const events = await journal(id)
      const returned = events.find(({ code }) => code === 'RollingBack')?.params
      expect(returned?.['reason']).toBe(reason)
      // Programs that are not there and those that do not listen look alike from outside; the reason tells them apart.
      if (text.startsWith('setInterval')) expect(returned?.['trouble']).toContain('nothing answers at port')
    },
  )

  test('holds where the plan says so, and goes on when it was mended or goes back when asked', async () => {
    const shop = await serving(1)
    await push(shop, 'bad', 'setInterval(() => undefined, 1_000)')
    const id = await start(shop, 'bad', {
      plan: { batches: [{ instances: 1 }], batchDeadlineSeconds: 5, onFail: 'hold' },
    })
    await reaches(id, 'Held')
    await post(`/v1/releases/${id}/resumptions`)
    await reaches(id, 'Placing')
    await reaches(id, 'Held')
    await post(`/v1/releases/${id}/abortions`)
    await reaches(id, 'Aborted')
    expect(await answersOf(shop, 3)).toEqual({ a: 3 })
  })
})

describe.concurrent('people', () => {
  test('abort a release in the middle: the old version has everything back and the new one is gone', async () => {
    const shop = await serving(2)
    await push(shop, 'b')
    const id = await start(shop, 'b', { plan: { batches: [{ weight: 50, approve: true }] } })
    await reaches(id, 'WaitPerson')
    expect(await answersOf(shop, 10)).toEqual({ a: 5, b: 5 })
    await post(`/v1/releases/${id}/abortions`)
    const ended = await reaches(id, 'Aborted')
    expect(ended).toMatchObject({
      weight: 0,
      counts: { newWanted: 0, oldReady: 2 },
      reason: { code: 'aborted' },
    })
    expect(await answersOf(shop, 4)).toEqual({ a: 4 })
    const late = await platform.call('POST', `/v1/releases/${id}/pauses`, { secret: operator })
    expect([late.status, (late.body['error'] as { code: string }).code]).toEqual([409, 'release_ended'])
  })

  test('say no: the release goes back with their reason', async () => {
    const shop = await serving(1)
    await push(shop, 'b')
    const id = await start(shop, 'b', { plan: { batches: [{ weight: 50, approve: true }] } })
    await reaches(id, 'WaitPerson')
    await post(`/v1/releases/${id}/approvals`, { batch: 0, approve: false, comment: 'wrong colour' })
    expect(await reaches(id, 'RolledBack')).toMatchObject({
      reason: { code: 'rejected', params: { by: 'admin', comment: 'wrong colour' } },
    })
  })

  test('pause for longer than the deadline, go on, and promote past what is left', async () => {
    const shop = await serving(2)
    await push(shop, 'b')
    const deadlineMs = 20_000
    const id = await start(shop, 'b', {
      plan: {
        batches: [
          { instances: 1, approve: true },
          { weight: 60, approve: true },
        ],
        batchDeadlineSeconds: deadlineMs / 1_000,
      },
    })
    await post(`/v1/releases/${id}/pauses`)
    await waitFor(systemClock, 'the instance', async () => (await read(id)).counts.newReady === 1, {
      timeoutMs: WAIT_MS,
    })
    // The batch began at the last of these; its deadline passes while nobody goes on.
    const placed = (await journal(id)).findLast(({ code }) => code === 'Placing')
    const overAtMs = Date.parse(placed?.at ?? '') + deadlineMs + 1_000
    await waitFor(systemClock, 'the deadline to pass', async () => systemClock.now().getTime() > overAtMs, {
      timeoutMs: WAIT_MS,
    })
    expect(await read(id)).toMatchObject({ state: 'Placing', paused: true, weight: 0 })
    await post(`/v1/releases/${id}/resumptions`)
    await reaches(id, 'WaitPerson', 0)
    await post(`/v1/releases/${id}/promotions`)
    expect(await reaches(id, 'Done')).toMatchObject({ weight: 100, counts: { newReady: 2 } })
  })

  test('scale during a release: both versions grow in the present ratio, and the end has all of them', async () => {
    const shop = await serving(2)
    await push(shop, 'b')
    const id = await start(shop, 'b', { plan: { batches: [{ weight: 50, approve: true }] } })
    await reaches(id, 'WaitPerson')
    const scaled = await platform.call('PUT', `/v1/workloads/${shop.workloadId}/instances`, {
      secret: operator,
      body: { instances: 4 },
    })
    expect(scaled.status).toBe(202)
    await waitFor(
      systemClock,
      'both to grow',
      async () => {
        const { newReady, oldReady } = (await read(id)).counts
        return newReady === 2 && oldReady === 4
      },
      { timeoutMs: WAIT_MS },
    )
    await post(`/v1/releases/${id}/approvals`, { batch: 0 })
    expect(await reaches(id, 'Done')).toMatchObject({ counts: { newReady: 4, newWanted: 4 } })
  })

  test('release what serves once more, and nothing goes away meanwhile', async () => {
    const shop = await serving(2)
    const id = await start(shop, 'a', { plan: { batches: [{ instances: 1, approve: true }] } })
    expect((await reaches(id, 'WaitPerson')).counts).toMatchObject({ newReady: 2, newWanted: 2 })
    await post(`/v1/releases/${id}/approvals`, { batch: 0 })
    await reaches(id, 'Done')
    const back = await platform.call('POST', `/v1/workloads/${shop.workloadId}/rollbacks`, {
      secret: operator,
      body: {},
    })
    expect((back.body['error'] as { code: string }).code).toBe('release_nothing_before')
  })

  test('release a Workload that is scaled to nothing: only with a count, and the way back serves again', async () => {
    const shop = await serving(2)
    await push(shop, 'b')
    const scale = (instances: number) =>
      platform.call('PUT', `/v1/workloads/${shop.workloadId}/instances`, {
        secret: operator,
        body: { instances },
      })
    const refused = async (body: Record<string, unknown>): Promise<unknown> => {
      const answer = await platform.call('POST', `/v1/workloads/${shop.workloadId}/releases`, {
        secret: operator,
        body: { image: 'b', ...body },
      })
      return (answer.body['error'] as { code: string }).code
    }
    expect(await refused({ instances: { web: 0 } })).toBe('release_stops')
    await scale(0)
    expect(await refused({})).toBe('release_stopped')
    await reaches(await start(shop, 'b', { instances: { web: 0 } }), 'Done')

    const back = String((await post(`/v1/workloads/${shop.workloadId}/rollbacks`, {}))['id'])
    expect(await reaches(back, 'Done')).toMatchObject({ instances: { web: 2 }, counts: { newReady: 2 } })
    expect(await answersOf(shop, 3)).toEqual({ a: 3 })
    const { body } = await platform.call('GET', `/v1/workloads/${shop.workloadId}`, { secret: operator })
    expect(body['instances']).toEqual({ web: 2 })
  })

  test('bring a count with a release: the new version arrives at it, the old one keeps its own', async () => {
    const shop = await serving(2)
    await push(shop, 'b')
    const id = await start(shop, 'b', {
      instances: { web: 3 },
      plan: { batches: [{ weight: 50, approve: true }] },
    })
    expect((await reaches(id, 'WaitPerson')).counts).toEqual({
      newReady: 2,
      newWanted: 2,
      oldReady: 2,
      oldWanted: 2,
    })
    const approved = await post(`/v1/releases/${id}/approvals`, { batch: 0 })
    expect(approved).toMatchObject({ state: 'Placing', batch: 1, instances: { web: 3 } })
    expect((await reaches(id, 'Done')).counts).toMatchObject({ newReady: 3, newWanted: 3, oldWanted: 2 })
  })
})
