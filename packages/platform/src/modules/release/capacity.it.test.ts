import { readFile } from 'node:fs/promises'

import { parseQuantity, systemClock } from '@slipway/kit'
import { kubeClient, parseKubeconfig, type Kube } from '@slipway/kube'
import {
  makeWorkload,
  pushProgram,
  testCluster,
  testPlatform,
  type TestPlatform,
  type TestWorkload,
} from '@slipway/testkit'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { releasing } from './releasing.helper.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

const MIB = 1024 ** 2
let cluster: Awaited<ReturnType<typeof testCluster>>
let platform: TestPlatform
let kube: Kube & Disposable
let operator: string

beforeAll(async () => {
  cluster = await testCluster()
  platform = await testPlatform({ localKubeconfig: cluster.kubeconfigPath })
  const { access } = parseKubeconfig(await readFile(cluster.kubeconfigPath, 'utf8'))
  operator = await platform.becomeOperator()
  kube = kubeClient({ access, clock: systemClock, userAgent: 'slipway-test' })
})
afterAll(async () => {
  kube[Symbol.dispose]()
  await platform[Symbol.asyncDispose]()
  await cluster.stop()
})

let neighbours = 0
/** Takes memory of the only node until so much is left beside what runs. @returns gives it back */
async function leave(bytes: number): Promise<() => Promise<void>> {
  const { items } = await kube.list('nodes')
  const all = parseQuantity(items[0]?.status?.allocatable?.['memory'] ?? '0')
  const pods = await kube.list('pods')
  const taken = pods.items
    .flatMap(({ spec }) => spec?.containers ?? [])
    .reduce((sum, { resources }) => sum + parseQuantity(resources?.requests?.['memory'] ?? '0'), 0)
  neighbours += 1
  const name = `neighbour-${neighbours}`
  await kube.create('namespaces', { metadata: { name } })
  const requests = { memory: String(Math.floor(all - taken - bytes)) }
  await kube.create('pods', {
    metadata: { name, namespace: name },
    spec: { containers: [{ name, image: 'registry.invalid/none', resources: { requests } }] },
  })
  return () => kube.remove('pods', { name, namespace: name }, {}).then(() => undefined)
}

/** Pushes a program that answers with its tag. */
async function push({ repository }: TestWorkload, tag: string): Promise<void> {
  const program = `require('node:http').createServer((_, r) => r.end('${tag}')).listen(Number(process.env.PORT), process.env.HOST)`
  await pushProgram(platform, { secret: operator, repository, tag, program })
}

test('a Release waits where there is no room for it, says what is short, and begins when there is room', async () => {
  const { start, reaches, until, post, ask } = releasing(platform, operator)
  const shop = await makeWorkload(platform, operator)
  for (const tag of ['a', 'b', 'c']) await push(shop, tag)
  const codes = async (id: string): Promise<string[]> => {
    const { body } = await platform.call('GET', `/v1/releases/${id}/events`, { secret: operator })
    return (body['items'] as { code: string }[]).map(({ code }) => code)
  }
  const keep = await platform.call('PATCH', `/v1/workloads/${shop.workloadId}`, {
    secret: operator,
    body: { keepSeconds: 0 },
  })
  expect(keep.status).toBe(200)
  await reaches(await start(shop, 'a', { instances: { web: 2 } }), 'Done')
  // Each Instance asks for 128 MiB: one more fits, not two.
  const giveBack = await leave(200 * MIB)

  const batches = [{ instances: 1 }, { percent: 100 }]
  const waiting = await start(shop, 'b', { plan: { batches } })
  const short = await until(waiting, 'the reason', ({ reason }) => reason !== null)
  expect(short).toMatchObject({
    state: 'Queued',
    reason: {
      code: 'capacity_short_whole',
      params: { process: 'web', wanted: 2, room: 1, lacks: 'memory', needs: '2 × web (0.05 CPU, 128 MiB)' },
    },
  })
  expect(await ask(shop)).toBe('a')
  await post(`/v1/releases/${waiting}/abortions`)
  await reaches(waiting, 'Aborted')
  expect(await ask(shop)).toBe('a')

  const lowered = await start(shop, 'b', { plan: { batches, capacity: 'lower' } })
  await reaches(lowered, 'Done')
  expect(await codes(lowered)).toContain('capacity_lowered')
  expect(await ask(shop)).toBe('b')

  const whole = await start(shop, 'c')
  await until(whole, 'the reason', ({ reason }) => reason?.code === 'capacity_short')
  await giveBack()
  await reaches(whole, 'Done')
  expect(await codes(whole)).toEqual(expect.arrayContaining(['capacity_short', 'capacity_passed']))
  expect(await ask(shop)).toBe('c')

  // More than this machine has, and a short deadline.
  const late = await start(shop, 'a', {
    instances: { web: 500 },
    plan: { batches: [{ percent: 100 }], batchDeadlineSeconds: 5 },
  })
  expect(await reaches(late, 'RolledBack')).toMatchObject({ reason: { code: 'gate_capacity' } })
  expect(await ask(shop)).toBe('c')
})

test('of two Releases for which there is room once, one begins and the other says what is short', async () => {
  const { start, until, reaches, post } = releasing(platform, operator)
  const shops = [await makeWorkload(platform, operator), await makeWorkload(platform, operator)]
  for (const shop of shops) await push(shop, 'a')
  // One Instance of 128 MiB fits, not two.
  const giveBack = await leave(200 * MIB)
  const releases = await Promise.all(shops.map((shop) => start(shop, 'a')))
  const settled = await Promise.all(
    releases.map((id) =>
      until(id, 'an end or a reason', ({ state, reason }) => state === 'Done' || reason !== null),
    ),
  )
  expect(settled.map(({ state }) => state).toSorted()).toEqual(['Done', 'Queued'])
  const waiting = String(settled.find(({ state }) => state === 'Queued')?.id)
  expect(settled.find(({ id }) => id === waiting)?.reason).toMatchObject({
    code: 'capacity_short',
    params: { room: 0, nodes: 1, excluded: 'memory × 1' },
  })
  await post(`/v1/releases/${waiting}/abortions`)
  await reaches(waiting, 'Aborted')
  await giveBack()
})

test('a placement is pinned by the next Release, which waits for a node that is so', async () => {
  const { start, until, reaches } = releasing(platform, operator)
  const shop = await makeWorkload(platform, operator)
  for (const tag of ['a', 'b']) await push(shop, tag)
  const before = await start(shop, 'a')
  await reaches(before, 'Done')
  const place = (body: unknown) =>
    platform.call('PUT', `/v1/workloads/${shop.workloadId}/placement`, { secret: operator, body })
  const get = async (path: string) => (await platform.call('GET', path, { secret: operator })).body

  const nowhere = await place({ placement: { apart: [{ application: 'api' }] } })
  expect([nowhere.status, nowhere.body]).toMatchObject([
    422,
    { error: { code: 'placement_neighbour_unknown' } },
  ])
  const unknown = await place({ process: 'worker', placement: {} })
  expect([unknown.status, unknown.body]).toMatchObject([422, { error: { code: 'process_unknown' } }])
  const empty = await place({ placement: { nodes: [{ label: 'disk' }] } })
  expect(empty.status).toBe(400)
  expect(JSON.stringify(empty.body)).toContain('In needs at least one value')

  const wished = { nodes: [{ label: 'disk', values: ['ssd'] }], apart: [{ application: 'web' }] }
  expect((await place({ placement: wished })).status).toBe(200)
  const release = await start(shop, 'b')
  const waiting = await until(release, 'the reason', ({ reason }) => reason !== null)
  expect(waiting).toMatchObject({
    state: 'Queued',
    reason: { code: 'capacity_short', params: { room: 0, nodes: 1, excluded: 'label disk=ssd × 1' } },
  })
  const { template } = (await get(`/v1/releases/${release}/diff`)) as { template: { path: string }[] }
  expect(template.map(({ path }) => path)).toContain('processes.web.placement.nodes')

  const { items } = await kube.list('nodes')
  const name = items[0]?.metadata.name ?? ''
  const body = { metadata: { labels: { disk: 'ssd' } } }
  await kube.patch('nodes', { name }, { type: 'merge', body })
  await reaches(release, 'Done')
  const { yaml } = await get(`/v1/workloads/${shop.workloadId}/manifests`)
  expect(yaml).toMatch(/key: disk\n +operator: In\n +values:\n +- ssd/u)
  expect(yaml).toContain('podAntiAffinity')

  // Back to what its Image says, which is nothing.
  expect((await place({ placement: null })).body['placement']).toEqual({})
  const free = await start(shop, 'a')
  await reaches(free, 'Done')
  expect((await get(`/v1/workloads/${shop.workloadId}/manifests`))['yaml']).not.toContain('affinity')
})
