import { readFile } from 'node:fs/promises'

import { parseQuantity, systemClock } from '@slipway/kit'
import { kubeClient, parseKubeconfig, type Kube } from '@slipway/kube'
import { makeWorkload, pushProgram, testCluster, testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { releasing } from './releasing.helper.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

const MIB = 1024 ** 2
let cluster: Awaited<ReturnType<typeof testCluster>>
let platform: TestPlatform
let kube: Kube & Disposable

beforeAll(async () => {
  cluster = await testCluster()
  platform = await testPlatform({ localKubeconfig: cluster.kubeconfigPath })
  const { access } = parseKubeconfig(await readFile(cluster.kubeconfigPath, 'utf8'))
  kube = kubeClient({ access, clock: systemClock, userAgent: 'slipway-test' })
})
afterAll(async () => {
  kube[Symbol.dispose]()
  await platform[Symbol.asyncDispose]()
  await cluster.stop()
})

/** Takes memory of the only node until so much is left beside what runs. @returns gives it back */
async function leave(bytes: number): Promise<() => Promise<void>> {
  const { items } = await kube.list('nodes')
  const all = parseQuantity(items[0]?.status?.allocatable?.['memory'] ?? '0')
  const pods = await kube.list('pods')
  const taken = pods.items
    .flatMap(({ spec }) => spec?.containers ?? [])
    .reduce((sum, { resources }) => sum + parseQuantity(resources?.requests?.['memory'] ?? '0'), 0)
  const name = 'neighbour'
  await kube.create('namespaces', { metadata: { name } })
  const requests = { memory: String(Math.floor(all - taken - bytes)) }
  await kube.create('pods', {
    metadata: { name, namespace: name },
    spec: { containers: [{ name, image: 'registry.invalid/none', resources: { requests } }] },
  })
  return () => kube.remove('pods', { name, namespace: name }, {}).then(() => undefined)
}

test('a Release waits where there is no room for it, says what is short, and begins when there is room', async () => {
  const operator = await platform.becomeOperator()
  const { start, reaches, until, post, ask } = releasing(platform, operator)
  const shop = await makeWorkload(platform, operator)
  for (const tag of ['a', 'b', 'c'])
    await pushProgram(platform, {
      secret: operator,
      repository: shop.repository,
      tag,
      program: `require('node:http').createServer((_, r) => r.end('${tag}')).listen(Number(process.env.PORT), process.env.HOST)`,
    })
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
