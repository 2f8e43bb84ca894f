import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { systemClock, waitFor } from '@slipway/kit'
import {
  makeWorkload,
  pushProgram,
  testCluster,
  testPlatform,
  type TestPlatform,
  type TestWorkload,
} from '@slipway/testkit'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { releasing } from '../releasing.helper.ts'

// Real processes start and end with the back-off of a real cluster, on a machine that may have much to do.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

/* Lists over many Workloads, as a console shows them: two shops run, one of them asks a person and one is broken. */
type Row = Readonly<Record<string, unknown>>
type Page = { readonly items: readonly Row[]; readonly total: number; readonly cursor?: string } & Row

const WAIT = { timeoutMs: 60_000 }
const GOOD = `require('node:http').createServer((request, response) => response.end('ok')).listen(Number(process.env.PORT), process.env.HOST)`
let cluster: Awaited<ReturnType<typeof testCluster>>
let platform: TestPlatform
let operator: string
let shop: TestWorkload
let other: TestWorkload
let waiting: string
let act: ReturnType<typeof releasing>
const TWO = { instances: { web: 2 } }

beforeAll(async () => {
  cluster = await testCluster()
  platform = await testPlatform({ localKubeconfig: cluster.kubeconfigPath })
  operator = await platform.becomeOperator()
  act = releasing(platform, operator)
  shop = await makeWorkload(platform, operator)
  other = await makeWorkload(platform, operator)
  for (const one of [shop, other])
    for (const tag of ['a', 'b'])
      await pushProgram(platform, {
        secret: operator,
        repository: one.repository,
        tag,
        program: `// ${tag}\n${GOOD}`,
      })
  await act.reaches(await act.start(shop, 'a', TWO), 'Done')
  await act.reaches(await act.start(other, 'a', TWO), 'Done')
  waiting = await act.start(shop, 'b', {
    instances: { web: 2 },
    plan: { batches: [{ instances: 1, approve: true }, { percent: 100 }] },
  })
  await act.reaches(waiting, 'WaitPerson')
})
afterAll(async () => {
  await platform[Symbol.asyncDispose]()
  await cluster.stop()
})

async function list(path: string, secret = operator): Promise<Page> {
  const { status, body } = await platform.call('GET', path, { secret })
  expect([status, body]).toEqual([200, body])
  return body as unknown as Page
}

/** A list, once it shows what is expected: what the engine saw is written a moment after it happened. */
async function listUntil(path: string, isThere: (page: Page) => boolean): Promise<Page> {
  return waitFor(
    systemClock,
    path,
    async () => {
      const page = await list(path)
      return isThere(page) ? page : undefined
    },
    WAIT,
  )
}

const workloadOf = (row: Row): string => String((row['workload'] as Row)['id'])

test('Workloads are listed with how they are, what serves and what is under way', async () => {
  const page = await listUntil(
    '/v1/workload-states',
    ({ counts }) => (counts as Record<string, number>)['Healthy'] === 2,
  )
  expect(page.total).toBe(2)
  const row = page.items.find((one) => workloadOf(one) === shop.workloadId)
  expect(row).toMatchObject({
    health: 'Healthy',
    instances: { ready: 2, wanted: 2 },
    trouble: '',
    serving: { number: 1, state: 'Done' },
    active: { id: waiting, number: 2, state: 'WaitPerson', batch: 0, batches: 2 },
  })
  expect(row?.['urls']).not.toEqual([])
  const newest = await list('/v1/workload-states?sort=released&limit=1')
  expect(newest.items.map(workloadOf)).toEqual([shop.workloadId])
})

test('a Workload whose Instances end is down, with what the Cluster says, and is found by that; without any it is stopped', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-health-'))
  await using cleanup = new AsyncDisposableStack()
  cleanup.defer(() => rm(folder, { recursive: true, force: true }))
  // Instances run under uids of their own.
  await chmod(folder, 0o755)
  const marker = join(folder, 'well')
  await writeFile(marker, '')
  const broken = await makeWorkload(platform, operator)
  const program = `setInterval(() => { if (!require('node:fs').existsSync('${marker}')) process.exit(7) }, 50); ${GOOD}`
  await pushProgram(platform, { secret: operator, repository: broken.repository, tag: 'c', program })
  await act.reaches(await act.start(broken, 'c', TWO), 'Done')
  await rm(marker)
  const page = await listUntil('/v1/workload-states?health=Down', ({ items }) =>
    String(items[0]?.['trouble']).includes('7'),
  )
  expect(page).toMatchObject({ total: 1, items: [{ instances: { ready: 0, wanted: 2 } }] })
  expect(page.items.map(workloadOf)).toEqual([broken.workloadId])
  expect((await list('/v1/workload-states?sort=health&limit=1')).items).toMatchObject([{ health: 'Down' }])
  await platform.call('PUT', `/v1/workloads/${broken.workloadId}/instances`, {
    secret: operator,
    body: { instances: 0 },
  })
  const stopped = await listUntil('/v1/workload-states?health=Stopped', ({ total }) => total === 1)
  expect(stopped.items.map(workloadOf)).toEqual([broken.workloadId])
})

test('what waits for a person is listed for who may answer it, and for nobody else', async () => {
  expect(await list('/v1/gates')).toMatchObject({
    items: [{ release: { id: waiting, state: 'WaitPerson' }, mayApprove: true }],
    total: 1,
  })
  const stranger = await platform.user(operator, 'stranger')
  expect(await list('/v1/gates?for=anyone', stranger.secret)).toMatchObject({ items: [], total: 0 })
  const developer = await platform.user(operator, 'developer')
  const { body } = await platform.call('GET', `/v1/workloads/${shop.workloadId}`, { secret: operator })
  const project = await platform.call('GET', `/v1/projects/${String(body['projectId'])}`, {
    secret: operator,
  })
  const organization = String(project.body['organizationId'])
  const set = await platform.call('PUT', `/v1/organizations/${organization}/members/${developer.id}`, {
    secret: operator,
    body: { role: 'developer' },
  })
  expect([set.status, set.body]).toEqual([200, set.body])
  expect((await list('/v1/gates', developer.secret)).total).toBe(0)
  expect((await list('/v1/gates?for=anyone', developer.secret)).items).toMatchObject([{ mayApprove: false }])
  expect((await list(`/v1/gates?organization=${organization}`)).total).toBe(1)
})

test('Releases are listed over Workloads, newest first, page by page, and narrowed by text, state and group', async () => {
  const everything: Row[] = []
  let cursor: string | undefined
  do {
    const page: Page = await list(`/v1/releases?limit=2${cursor === undefined ? '' : `&cursor=${cursor}`}`)
    everything.push(...page.items)
    cursor = page.cursor
    expect(page.total).toBeGreaterThanOrEqual(3)
  } while (cursor !== undefined)
  const times = everything.map((one) => String(one['createdAt']))
  expect(times).toEqual(times.toSorted().toReversed())
  expect(new Set(everything.map((one) => one['id'])).size).toBe(everything.length)
  expect((await list('/v1/releases?group=under-way')).items.map((one) => one['id'])).toEqual([waiting])
  expect((await list('/v1/releases?group=wrong')).total).toBe(0)
  expect((await list('/v1/releases?state=Done&group=under-way')).total).toBe(0)
  const [project = ''] = shop.repository.split('/')
  const byText = await list(`/v1/releases?text=${project.toUpperCase()}/`)
  expect(new Set(byText.items.map(workloadOf))).toEqual(new Set([shop.workloadId]))
  const refused = await platform.call('GET', '/v1/releases?cursor=nonsense', { secret: operator })
  expect(refused.status).toBe(400)
})

test('Instances are listed over Workloads and by Cluster, in any order', async () => {
  const page = await listUntil('/v1/instances?state=Ready', ({ total }) => total >= 5)
  expect(page['unseen']).toEqual([])
  const names = page.items.map((one) => `${String((one['workload'] as Row)['name'])} ${String(one['name'])}`)
  expect(names).toEqual(names.toSorted())
  const own = await list(`/v1/instances?workload=${shop.workloadId}&limit=2`)
  expect(own).toMatchObject({ total: 3 })
  const rest = await list(`/v1/instances?workload=${shop.workloadId}&limit=2&cursor=${String(own.cursor)}`)
  expect(rest.items).toHaveLength(1)
  expect(new Set([...own.items, ...rest.items].map((one) => one['releaseNumber']))).toEqual(new Set([1, 2]))
  const { body } = await platform.call('GET', `/v1/workloads/${shop.workloadId}`, { secret: operator })
  const here = await list(`/v1/instances?cluster=${String(body['clusterId'])}&sort=created`)
  const created = here.items.map((one) => String(one['createdAt']))
  expect(created).toEqual(created.toSorted().toReversed())
  expect((await list(`/v1/instances?cluster=clu_${'0'.repeat(26)}`)).total).toBe(0)
  const stranger = await platform.user(operator, 'another')
  expect((await list('/v1/instances', stranger.secret)).items).toEqual([])
  expect((await list('/v1/workload-states', stranger.secret)).total).toBe(0)
  expect((await list('/v1/releases', stranger.secret)).total).toBe(0)
  expect((await list('/v1/builds', stranger.secret)).total).toBe(0)
})
