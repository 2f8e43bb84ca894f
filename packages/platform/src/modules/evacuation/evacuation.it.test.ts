import { readFileSync } from 'node:fs'

import type { EvacuationDetail } from '@slipway/contract'
import { must, systemClock, waitFor } from '@slipway/kit'
import { kubeClient, parseKubeconfig, type Kube } from '@slipway/kube'
import { createClient, type Client } from '@slipway/sdk'
import { makeWorkload, pushProgram, testCluster, testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

/*
 * Draining the node of the embedded cluster, and losing one: Instances go to a node that exists on paper only, where they become
 * ready without running.
 */
const WAIT = { timeoutMs: 90_000, everyMs: 50 }
const PAPER = 'paper'
const program = `require('node:http').createServer((_, r) => r.end('ok')).listen(process.env.PORT, process.env.HOST)`
let cluster: Awaited<ReturnType<typeof testCluster>>
let platform: TestPlatform
let kube: Kube & Disposable
let operator: Client
let developer: Client
let stranger: Client
let developerSecret: string
let clusterId: string
let workloadId: string

async function untilIt(
  what: string,
  id: string,
  is: (one: EvacuationDetail) => boolean,
): Promise<EvacuationDetail> {
  let last: unknown
  const look = async (): Promise<EvacuationDetail | undefined> => {
    const one = await operator.getEvacuation({ evacuation: id })
    last = one
    return is(one) ? one : undefined
  }
  try {
    return await waitFor(systemClock, what, look, WAIT)
  } catch (thrown) {
    throw new Error(`${String(thrown)}: ${JSON.stringify(last)}`, { cause: thrown })
  }
}
const ended = (id: string): Promise<EvacuationDetail> =>
  untilIt('the evacuation to end', id, ({ endedAt }) => endedAt !== null)
const nodesOf = async (): Promise<readonly (string | null)[]> =>
  (await operator.listInstances({ workload: workloadId })).items
    .filter(({ ready }) => ready)
    .map(({ node }) => node)

beforeAll(async () => {
  cluster = await testCluster()
  const { access } = parseKubeconfig(readFileSync(cluster.kubeconfigPath, 'utf8'))
  kube = kubeClient({ access, clock: systemClock, userAgent: 'evacuation-test' })
  platform = await testPlatform({ localKubeconfig: cluster.kubeconfigPath })
  const secret = await platform.becomeOperator()
  operator = createClient({ server: platform.url, credentials: { bearer: secret } })
  const shop = await makeWorkload(platform, secret)
  workloadId = shop.workloadId
  const signedIn = async (name: string): Promise<{ readonly id: string; readonly secret: string }> =>
    platform.user(secret, name)
  const user = await signedIn('developer')
  await operator.setMember({ organization: shop.organizationId, user: user.id, role: 'developer' })
  developerSecret = user.secret
  developer = createClient({ server: platform.url, credentials: { bearer: user.secret } })
  const other = await operator.createOrganization({ slug: 'others', name: 'Others' })
  const foreigner = await signedIn('stranger')
  await operator.setMember({ organization: other.id, user: foreigner.id, role: 'owner' })
  stranger = createClient({ server: platform.url, credentials: { bearer: foreigner.secret } })
  clusterId = must((await operator.listClusters({})).items[0], 'there is a Cluster').id
  await pushProgram(platform, { secret, repository: shop.repository, tag: 'one', program })
  await operator.startRelease({ workload: workloadId, image: 'one', instances: { web: 2 } })
  await waitFor(systemClock, 'two Instances', async () => (await nodesOf()).length === 2, WAIT)
  await kube.create('nodes', {
    metadata: { name: PAPER, labels: { 'slipway/simulated': 'true', 'kubernetes.io/hostname': PAPER } },
  })
  await kube.patch(
    'nodes',
    { name: PAPER },
    {
      type: 'merge',
      body: {
        status: {
          allocatable: { cpu: '8', memory: '16Gi', pods: '100' },
          capacity: { cpu: '8', memory: '16Gi', pods: '100' },
          conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: new Date().toISOString() }],
        },
      },
    },
    { subresource: 'status' },
  )
}, 150_000)
afterAll(async () => {
  kube[Symbol.dispose]()
  await platform[Symbol.asyncDispose]()
  await cluster.stop()
})

test('a node that is cordoned takes nothing more and goes on, and a dry run changes nothing', async () => {
  const node = { cluster: clusterId, node: PAPER }
  const isSchedulable = async (): Promise<boolean> => (await operator.getNode(node)).schedulable
  await operator.updateNode({ ...node, schedulable: false }, { dryRun: true })
  expect(await isSchedulable()).toBe(true)
  expect(await operator.updateNode({ ...node, schedulable: false })).toEqual({
    name: PAPER,
    schedulable: false,
  })
  expect(await isSchedulable()).toBe(false)
  await operator.updateNode({ ...node, schedulable: true })
  expect(await isSchedulable()).toBe(true)
  await expect(
    operator.updateNode({ cluster: clusterId, node: 'nowhere', schedulable: false }),
  ).rejects.toMatchObject({ status: 404 })
})

test('what a drain would do is shown before', async () => {
  const preview = await operator.getDrainPreview({ cluster: clusterId, node: cluster.nodeName })
  expect(preview).toMatchObject({ schedulable: true, otherNodes: 1, builds: 0, others: 0 })
  expect(preview.effects).toMatchObject([
    {
      workload: { id: workloadId },
      process: 'web',
      instances: 2,
      ready: 2,
      wanted: 2,
      interrupted: false,
      why: null,
    },
  ])
})

test('a developer drains no node', async () => {
  const path = `/v1/clusters/${clusterId}/nodes/${cluster.nodeName}`
  for (const [method, to] of [
    ['POST', `${path}/drains`],
    ['GET', `${path}/drain-preview`],
    ['PATCH', path],
  ] as const) {
    const body = method === 'PATCH' ? { schedulable: false } : undefined
    const answer = await platform.call(method, to, { secret: developerSecret, body })
    expect([to, answer.status]).toEqual([to, 403])
  }
})

test('a drain moves every Instance, one at a time, and tells its owner what moved where', async () => {
  const node = { cluster: clusterId, node: cluster.nodeName }
  const { id } = await operator.startDrain(node)
  await expect(operator.startDrain(node)).rejects.toMatchObject({ code: 'node_draining' })
  const drain = await ended(id)
  expect(drain).toMatchObject({
    state: 'Done',
    kind: 'drain',
    problem: null,
    counts: { Moved: 2, Waiting: 0 },
  })
  expect(drain.moves.map(({ toNode }) => toNode)).toEqual([PAPER, PAPER])
  expect(new Set(drain.moves.map(({ toInstance }) => toInstance)).size).toBe(2)
  expect(await nodesOf()).toEqual([PAPER, PAPER])
  expect((await operator.getNode(node)).schedulable).toBe(false)

  const seen = await developer.getEvacuation({ evacuation: id })
  expect(seen.moves.map(({ workload, state }) => [workload.id, state])).toEqual([
    [workloadId, 'Moved'],
    [workloadId, 'Moved'],
  ])
  expect((await developer.listEvacuations({ workload: workloadId })).items.map((one) => one.id)).toEqual([id])
  expect((await stranger.listEvacuations({})).items).toEqual([])
  await expect(stranger.getEvacuation({ evacuation: id })).rejects.toMatchObject({ status: 404 })
  await expect(operator.cancelDrain({ evacuation: id })).rejects.toMatchObject({ code: 'evacuation_over' })
})

test('a drain that has nowhere to go waits, and ends with a cancellation that lets the node take Instances again', async () => {
  const { id } = await operator.startDrain({ cluster: clusterId, node: PAPER })
  await untilIt('an Instance to leave', id, ({ counts }) => (counts.Leaving ?? 0) === 1)
  const held = await untilIt('the other one to wait', id, ({ moves }) =>
    moves.some(({ why }) => why !== null),
  )
  expect(held.moves.find(({ why }) => why !== null)?.why).toEqual({
    code: 'evacuation_not_whole',
    params: { ready: 1, wanted: 2 },
  })
  const cancelled = await waitFor(
    systemClock,
    'the cancellation to win',
    () => operator.cancelDrain({ evacuation: id }).catch(() => undefined),
    WAIT,
  )
  expect(cancelled.state).toBe('Cancelled')
  await waitFor(
    systemClock,
    'the node to take Instances again',
    async () => (await operator.getNode({ cluster: clusterId, node: PAPER })).schedulable,
    WAIT,
  )
  await waitFor(systemClock, 'both to be there again', async () => (await nodesOf()).length === 2, WAIT)
})

test('what was on a lost node is told with where it went', async () => {
  await operator.updateNode({ cluster: clusterId, node: cluster.nodeName, schedulable: true })
  // Nobody speaks for it any more.
  const unlabel = { metadata: { labels: { 'slipway/simulated': null } } }
  await kube.patch('nodes', { name: PAPER }, { type: 'merge', body: unlabel })
  const lose = {
    type: 'merge',
    body: {
      status: {
        conditions: [{ type: 'Ready', status: 'Unknown', lastTransitionTime: new Date().toISOString() }],
      },
    },
  } as const
  await kube.patch('nodes', { name: PAPER }, lose, { subresource: 'status' })
  const { id } = await waitFor(
    systemClock,
    'the loss to be noticed',
    async () => (await operator.listEvacuations({ kind: 'loss' })).items[0],
    WAIT,
  )
  const loss = await ended(id)
  expect(loss).toMatchObject({ state: 'Done', node: PAPER, startedBy: null, counts: { Moved: 2 } })
  expect(loss.moves.map(({ toNode }) => toNode)).toEqual([cluster.nodeName, cluster.nodeName])
  await expect(operator.cancelDrain({ evacuation: id })).rejects.toMatchObject({
    code: 'evacuation_not_drain',
  })
}, 120_000)
