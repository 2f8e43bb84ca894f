import { createServer, type Server } from 'node:net'
import { once } from 'node:events'

import { systemClock, waitFor } from '@slipway/kit'
import { makeWorkload, pushProgram, testCluster, testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { releasing } from './releasing.helper.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

const WAIT = { timeoutMs: 90_000, everyMs: 300 }
let cluster: Awaited<ReturnType<typeof testCluster>>
let platform: TestPlatform

beforeAll(async () => {
  cluster = await testCluster()
  platform = await testPlatform({ localKubeconfig: cluster.kubeconfigPath })
})
afterAll(async () => {
  await platform[Symbol.asyncDispose]()
  await cluster.stop()
})

async function hold(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

test("a port of a Workload's own that another program holds is told, and served when it is free", async () => {
  const secret = await platform.becomeOperator()
  const { start, reaches, ask } = releasing(platform, secret)
  const release = async () => {
    const shop = await makeWorkload(platform, secret)
    const program = `require('node:http').createServer((_, r) => r.end('here')).listen(Number(process.env.PORT), process.env.HOST)`
    await pushProgram(platform, { secret, repository: shop.repository, tag: 'a', program })
    const id = await start(shop, 'a')
    await reaches(id, 'Done')
    return { shop, id }
  }
  const urlOf = async (workloadId: string): Promise<string> => {
    const { body } = await platform.call('GET', `/v1/workloads/${workloadId}`, { secret })
    return String((body['urls'] as string[]).at(-1))
  }
  const first = await release()
  // Ports are given in order, so the next one is known before it is taken.
  const port = Number(new URL(await urlOf(first.shop.workloadId)).port) + 1
  const other = await hold(port)
  const { shop, id } = await release()
  expect(new URL(await urlOf(shop.workloadId)).port).toBe(String(port))
  const trouble = async (): Promise<string | undefined> => {
    const { body } = await platform.call('GET', '/v1/workload-states', { secret })
    const rows = body['items'] as { workload: { id: string }; health: string; trouble: string }[]
    const row = rows.find(({ workload }) => workload.id === shop.workloadId)
    return row?.health === 'Healthy' ? row.trouble : undefined
  }
  await waitFor(
    systemClock,
    'the trouble to be told',
    async () => ((await trouble()) ?? '').includes(`port ${port} cannot be bound`),
    WAIT,
  )
  const { body } = await platform.call('GET', `/v1/releases/${id}/events`, { secret })
  expect((body['items'] as { code: string }[]).map(({ code }) => code)).toContain('entrance_lost')

  other.close()
  await waitFor(systemClock, 'nothing to be wrong', async () => (await trouble()) === '', WAIT)
  expect(await ask(shop)).toBe('here')
})
