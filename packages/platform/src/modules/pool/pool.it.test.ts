import { readFileSync } from 'node:fs'

import type { Pool } from '@slipway/contract'
import { must, systemClock, waitFor } from '@slipway/kit'
import { kubeClient, parseKubeconfig, type Kube, type Live } from '@slipway/kube'
import { createClient, type Client } from '@slipway/sdk'
import { makeWorkload, pushProgram, testCluster, testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

/* Pools of the embedded cluster: its own node, which runs something, and two that exist on paper only. */
const WAIT = { timeoutMs: 90_000, everyMs: 50 }
const KEY = 'slipway/pool'
const program = `require('node:http').createServer((_, r) => r.end('ok')).listen(process.env.PORT, process.env.HOST)`
let cluster: Awaited<ReturnType<typeof testCluster>>
let platform: TestPlatform
let kube: Kube & Disposable
let operator: Client
let stranger: Client
let strangerSecret: string
let clusterId: string
let shop: Awaited<ReturnType<typeof makeWorkload>>
let other: string
let pool: string

const node = async (name: string): Promise<Live<'nodes'>> =>
  must(
    (await kube.list('nodes')).items.find(({ metadata }) => metadata.name === name),
    'the node is there',
  )
const taintsOf = async (name: string): Promise<readonly string[]> =>
  ((await node(name)).spec?.taints ?? []).map(({ key, value, effect }) => `${key}=${value ?? ''}:${effect}`)
const until = <T>(what: string, condition: () => Promise<T | undefined | false>): Promise<T> =>
  waitFor(systemClock, what, condition, WAIT)
const untilSettled = (id: string, names: readonly string[]): Promise<Pool> =>
  until(`${names.join(', ')} to be in the Pool`, async () => {
    const one = await operator.getPool({ pool: id })
    const settled = one.nodes.filter((member) => member.settled).map(({ name }) => name)
    return settled.join() === names.join() && one.nodes.length === names.length ? one : undefined
  })
const ready = async (workload: string): Promise<readonly (string | null)[]> =>
  (await operator.listInstances({ workload })).items.filter((one) => one.ready).map((one) => one.node)
const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString()

async function addPaperNode(name: string, labels: Readonly<Record<string, string>>): Promise<void> {
  await kube.create('nodes', {
    metadata: { name, labels: { 'slipway/simulated': 'true', 'kubernetes.io/hostname': name, ...labels } },
  })
  const amounts = { cpu: '8', memory: '16Gi', pods: '100' }
  const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: new Date().toISOString() }]
  const body = { status: { allocatable: amounts, capacity: amounts, conditions } }
  await kube.patch('nodes', { name }, { type: 'merge', body }, { subresource: 'status' })
}

beforeAll(async () => {
  cluster = await testCluster()
  const { access } = parseKubeconfig(readFileSync(cluster.kubeconfigPath, 'utf8'))
  kube = kubeClient({ access, clock: systemClock, userAgent: 'pool-test' })
  platform = await testPlatform({ localKubeconfig: cluster.kubeconfigPath })
  const secret = await platform.becomeOperator()
  operator = createClient({ server: platform.url, credentials: { bearer: secret } })
  shop = await makeWorkload(platform, secret)
  clusterId = must((await operator.listClusters({})).items[0], 'there is a Cluster').id
  const others = await operator.createOrganization({ slug: 'others', name: 'Others' })
  other = (await operator.createProject({ organization: others.id, slug: 'other', name: 'Other' })).id
  const user = await platform.user(secret, 'stranger')
  await operator.setMember({ organization: others.id, user: user.id, role: 'owner' })
  strangerSecret = user.secret
  stranger = createClient({ server: platform.url, credentials: { bearer: user.secret } })
  await pushProgram(platform, { secret, repository: shop.repository, tag: 'one', program })
  await operator.startRelease({ workload: shop.workloadId, image: 'one', instances: { web: 2 } })
  await until('two Instances', async () => (await ready(shop.workloadId)).length === 2)
  await addPaperNode('paper-1', { zone: 'a' })
  await addPaperNode('paper-2', { zone: 'a' })
}, 150_000)
afterAll(async () => {
  kube[Symbol.dispose]()
  await platform[Symbol.asyncDispose]()
  await cluster.stop()
})

test('nodes that are named get label and mark, and one node is in one Pool', async () => {
  const unknown = operator.createPool({ cluster: clusterId, slug: 'ghosts', nodes: ['nowhere'] })
  await expect(unknown).rejects.toMatchObject({ code: 'pool_node_unknown', params: { node: 'nowhere' } })
  const made = await operator.createPool({ cluster: clusterId, slug: 'fast', nodes: ['paper-1'] })
  pool = made.id
  await untilSettled(pool, ['paper-1'])
  const { labels, annotations } = (await node('paper-1')).metadata
  expect([labels?.[KEY], annotations?.[KEY], await taintsOf('paper-1')]).toEqual(['fast', 'fast', []])
  await expect(operator.createPool({ cluster: clusterId, slug: 'fast' })).rejects.toMatchObject({
    code: 'pool_slug_taken',
  })
  await expect(
    operator.createPool({ cluster: clusterId, slug: 'again', nodes: ['paper-1'] }),
  ).rejects.toMatchObject({ code: 'pool_node_taken', params: { node: 'paper-1', pool: 'fast' } })
})

test('a node joins by name, by its labels, or with the label that it brings along, and leaves again', async () => {
  await operator.addPoolNode({ pool, node: 'paper-2' })
  await untilSettled(pool, ['paper-1', 'paper-2'])
  await operator.removePoolNode({ pool, node: 'paper-2' })
  await until(
    'the label to be gone',
    async () => (await node('paper-2')).metadata.labels?.[KEY] === undefined,
  )
  await operator.updatePool({ pool, selector: { zone: 'a' } })
  const chosen = await untilSettled(pool, ['paper-1', 'paper-2'])
  expect(chosen.nodes.map(({ by }) => by)).toEqual(['name', 'labels'])
  await expect(operator.removePoolNode({ pool, node: 'paper-2' })).rejects.toMatchObject({
    code: 'pool_node_by_labels',
  })
  await addPaperNode('paper-3', { [KEY]: 'fast' })
  // Nobody tells of a new node; whatever is changed makes it be seen at once.
  await operator.updatePool({ pool, selector: null, name: 'Fast' })
  const joined = await untilSettled(pool, ['paper-1', 'paper-3'])
  expect(joined.nodes.map(({ by }) => by)).toEqual(['name', 'name'])
  await operator.removePoolNode({ pool, node: 'paper-3' })
  await until(
    'the label to be gone',
    async () => (await node('paper-3')).metadata.labels?.[KEY] === undefined,
  )
  await untilSettled(pool, ['paper-1'])
})

test('labels of nodes are listed with how many have them, what a status tells among them', async () => {
  const { items } = await stranger.listNodeLabels({ cluster: clusterId })
  const byLabel = new Map(items.map(({ label, values }) => [label, values]))
  expect(byLabel.get('zone')).toEqual([{ value: 'a', nodes: 2 }])
  expect(byLabel.get('slipway/cpu-cores')).toContainEqual({ value: '8', nodes: 3 })
  expect(byLabel.get('slipway/memory-gib')).toContainEqual({ value: '16', nodes: 3 })
  expect(byLabel.has('kubernetes.io/hostname')).toBe(false)
})

test('whoever may not change Clusters rents nothing, and does not see who does', async () => {
  for (const [method, path, body] of [
    ['POST', `/v1/clusters/${clusterId}/pools`, { slug: 'mine' }],
    ['PUT', `/v1/pools/${pool}/rent`, { project: other, until: inDays(1) }],
    ['GET', `/v1/pools/${pool}/rent-preview?project=${other}`, undefined],
    ['DELETE', `/v1/pools/${pool}`, undefined],
  ] as const) {
    const answer = await platform.call(method, path, { secret: strangerSecret, body })
    expect([path, answer.status]).toEqual([path, 403])
  }
})

test('a rent is shown before, begins with a taint that drives nobody out, and ends by itself', async () => {
  const past = operator.rentPool({ pool, project: other, until: inDays(-1) })
  await expect(past).rejects.toMatchObject({ code: 'rent_in_past' })
  // The node of the embedded cluster runs what belongs to shop.
  await operator.addPoolNode({ pool, node: cluster.nodeName })
  await untilSettled(pool, [cluster.nodeName, 'paper-1'].toSorted())
  const preview = await operator.getRentPreview({ pool, project: other })
  expect(preview).toMatchObject({
    nodes: [cluster.nodeName, 'paper-1'].toSorted(),
    guests: [{ workload: { id: shop.workloadId }, instances: 2, stranger: true }],
    strangers: { workloads: 1, instances: 2 },
    builds: 0,
    others: 0,
  })
  const refused = operator.rentPool({ pool, project: other, until: inDays(1) })
  await expect(refused).rejects.toMatchObject({
    code: 'pool_holds_strangers',
    params: { pool: 'fast', instances: 2, workloads: 1 },
  })
  const wish = { pool, project: other, until: inDays(3), strangers: 'stay', comment: 'sale' } as const
  await operator.rentPool(wish, { dryRun: true })
  expect((await operator.getPool({ pool })).rent).toBeNull()
  const rented = await operator.rentPool(wish)
  expect(rented.rent).toMatchObject({ project: { slug: 'other' }, state: 'Ending' })
  await until('the taint', async () => (await taintsOf('paper-1')).length === 1)
  expect(await taintsOf('paper-1')).toEqual([`${KEY}=fast:NoSchedule`])
  expect(await ready(shop.workloadId)).toHaveLength(2)

  const taken = operator.rentPool({ pool, project: shop.projectId, until: inDays(9), strangers: 'stay' })
  await expect(taken).rejects.toMatchObject({ code: 'pool_rented' })
  await expect(operator.deletePool({ pool })).rejects.toMatchObject({ code: 'pool_rented' })
  const longer = await operator.rentPool({ ...wish, until: inDays(30) })
  expect(longer.rent).toMatchObject({ state: 'Active', from: rented.rent?.from })
  const [mine] = (await stranger.listRents({ pool })).items
  expect(mine).toMatchObject({ state: 'Active', comment: 'sale', project: { id: other }, endedAt: null })
  expect((await stranger.listRents({ state: 'Ending' })).items).toEqual([])

  await operator.rentPool({ ...wish, until: new Date(Date.now() + 2_000).toISOString() })
  await until('the taint to be gone', async () => (await taintsOf('paper-1')).length === 0)
  expect((await operator.getPool({ pool })).rent).toBeNull()
  const [ended] = (await stranger.listRents({ pool, state: 'Ended' })).items
  expect(ended).toMatchObject({ id: mine?.id, state: 'Ended' })
  expect((await node('paper-1')).metadata.labels?.[KEY]).toBe('fast')
})

test('a Workload runs in the Pool that it names, and in no other until it is released anew', async () => {
  const unknown = operator.updateWorkload({ workload: shop.workloadId, pool: 'nowhere' })
  await expect(unknown).rejects.toMatchObject({ code: 'pool_unknown', params: { pool: 'nowhere' } })
  await operator.rentPool({ pool, project: other, until: inDays(1), strangers: 'stay' })
  const foreign = operator.updateWorkload({ workload: shop.workloadId, pool: 'fast' })
  await expect(foreign).rejects.toMatchObject({ code: 'pool_rented_elsewhere' })
  await operator.endRent({ pool })
  await operator.removePoolNode({ pool, node: cluster.nodeName })
  await untilSettled(pool, ['paper-1'])
  await operator.rentPool({ pool, project: shop.projectId, until: inDays(1) })
  await until('the taint', async () => (await taintsOf('paper-1')).length === 1)

  const set = await operator.updateWorkload({ workload: shop.workloadId, pool: 'fast' })
  expect(set.pool).toBe('fast')
  expect(await ready(shop.workloadId)).toEqual([cluster.nodeName, cluster.nodeName])
  const release = await operator.startRelease({ workload: shop.workloadId, image: 'one' })
  expect(release.template.pool).toBe('fast')
  await until('all Instances to be in the Pool', async () => {
    const seen = (await operator.listInstances({ workload: shop.workloadId })).items
    const fresh = seen.filter((one) => one.ready && one.node === 'paper-1')
    return fresh.length === 2
  })
  await operator.endRent({ pool })
  await expect(operator.deletePool({ pool })).rejects.toMatchObject({
    code: 'pool_in_use',
    params: { pool: 'fast', count: 1 },
  })
  await until('the taint to be gone', async () => (await taintsOf('paper-1')).length === 0)
  expect((await ready(shop.workloadId)).filter((name) => name === 'paper-1')).toHaveLength(2)
})
