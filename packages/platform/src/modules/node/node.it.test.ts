import { must, systemClock, waitFor } from '@slipway/kit'
import { createClient, type Client } from '@slipway/sdk'
import { makeWorkload, pushProgram, testCluster, testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

/* Two tenants on one node of the embedded cluster, through the HTTP API. */

const WAIT = { timeoutMs: 60_000 }
const program = `require('node:http').createServer((_, r) => r.end('ok')).listen(process.env.PORT, process.env.HOST)`
let cluster: Awaited<ReturnType<typeof testCluster>>
let platform: TestPlatform
let operator: Client
let developer: Client
let developerSecret: string
let clusterId: string
const own: { workloadId: string; instanceId: string; project: string } = {
  workloadId: '',
  instanceId: '',
  project: '',
}

beforeAll(async () => {
  cluster = await testCluster()
  platform = await testPlatform({ localKubeconfig: cluster.kubeconfigPath })
  const secret = await platform.becomeOperator()
  operator = createClient({ server: platform.url, credentials: { bearer: secret } })
  const shops = [await makeWorkload(platform, secret), await makeWorkload(platform, secret)]
  for (const { repository, workloadId } of shops) {
    await pushProgram(platform, { secret, repository, tag: 'one', program })
    await operator.startRelease({ workload: workloadId, image: 'one' })
  }
  const [first] = shops
  const { organizationId, workloadId, repository } = must(first, 'there is a shop')
  const user = await platform.user(secret, 'developer')
  await operator.setMember({ organization: organizationId, user: user.id, role: 'developer' })
  developerSecret = user.secret
  developer = createClient({ server: platform.url, credentials: { bearer: user.secret } })
  clusterId = must((await operator.listClusters({})).items[0], 'there is a Cluster').id
  await waitFor(
    systemClock,
    'the Instances to be ready',
    async () => {
      const { items } = await operator.searchInstances({})
      return items.length === 2 && items.every(({ ready }) => ready)
    },
    WAIT,
  )
  const mine = (await developer.listInstances({ workload: workloadId })).items[0]
  own.workloadId = workloadId
  own.instanceId = must(mine, 'the developer has an Instance').id
  own.project = repository.split('/')[0] ?? ''
}, 120_000)
afterAll(async () => {
  await platform[Symbol.asyncDispose]()
  await cluster.stop()
})

test('a developer sees what shares the node, by name only what is theirs', async () => {
  const { node, tenants } = await waitFor(
    systemClock,
    'use to be measured',
    async () => {
      const seen = await developer.getNeighbours({ instance: own.instanceId })
      return seen.tenants.every(({ use }) => use !== null) ? seen : undefined
    },
    WAIT,
  )
  expect(node).toMatchObject({ name: cluster.nodeName, ready: true, schedulable: true })
  expect(node?.requested.cpuCores).toBeCloseTo(0.1)
  expect(tenants.map(({ owner }) => owner.kind).toSorted()).toEqual(['hidden', 'workload'])
  expect(tenants.find(({ owner }) => owner.kind === 'workload')).toMatchObject({
    owner: { instanceId: own.instanceId, workload: { id: own.workloadId }, process: 'web' },
    state: 'Ready',
    requested: { cpuCores: 0.05, memoryBytes: 128 * 1024 ** 2 },
  })
  expect(tenants.every(({ use }) => (use?.memoryBytes ?? 0) > 1_000_000)).toBe(true)
})

test('an operator sees the Projects on a node by their share', async () => {
  const node = await operator.getNode({ cluster: clusterId, node: cluster.nodeName })
  expect(node.tenants.map(({ owner }) => owner.kind)).toEqual(['workload', 'workload'])
  expect(node.shares.map(({ project, instances }) => [project?.slug, instances])).toHaveLength(2)
  expect(node.shares.map(({ project }) => project?.slug)).toContain(own.project)
  expect(node.shares.every(({ share }) => share > 0 && share < 1)).toBe(true)
})

test('a developer may not read nodes, and what is not there does not exist', async () => {
  const path = `/v1/clusters/${clusterId}/nodes`
  const call = (secret: string, to: string) => platform.call('GET', to, { secret })
  expect((await call(developerSecret, `${path}/${cluster.nodeName}`)).status).toBe(403)
  const gone = `/v1/instances/${own.workloadId}.web-none/neighbours`
  expect((await call(developerSecret, gone)).status).toBe(404)
  await expect(operator.getNode({ cluster: clusterId, node: 'nowhere' })).rejects.toMatchObject({
    status: 404,
  })
})
