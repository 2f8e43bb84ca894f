import { readFile } from 'node:fs/promises'

import { systemClock, systemRandom, waitFor } from '@slipway/kit'
import { kubeClient, parseKubeconfig, type Kube } from '@slipway/kube'
import { testCluster } from '@slipway/testkit'
import { pino } from 'pino'
import { expect, test } from 'vitest'

import { listNodes } from './service.ts'
import { watchWorkloads } from './watch.ts'

const WAIT = { timeoutMs: 30_000, everyMs: 10 }
const NOWHERE = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'nowhere',
  clusters: [{ name: 'nowhere', cluster: { server: 'https://127.0.0.1:1' } }],
  users: [{ name: 'nobody', user: { token: 'x' } }],
  contexts: [{ name: 'nowhere', context: { cluster: 'nowhere', user: 'nobody' } }],
})
const labels = { 'slipway/workload': 'wrk_1' }
const object = (name: string, more: Record<string, string>) => ({
  metadata: { name, namespace: 'default', labels: more },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'web', image: 'x' }] } },
  },
})

test('changes of a Workload are told by its id, its end too; those of others are not', async () => {
  const cluster = await testCluster()
  await using cleanup = new AsyncDisposableStack()
  cleanup.defer(() => cluster.stop())
  const kube = cleanup.use(
    kubeClient({
      access: parseKubeconfig(await readFile(cluster.kubeconfigPath, 'utf8')).access,
      clock: systemClock,
      userAgent: 'test',
    }),
  )
  const told: string[] = []
  const parts = { clock: systemClock, random: systemRandom, log: pino({ level: 'silent' }) }
  const watch = cleanup.use(watchWorkloads(parts, { slug: 'test', kube }, (id) => told.push(id)))
  expect(await waitFor(systemClock, 'a first look', () => watch.pods('default'), WAIT)).toEqual([])

  await kube.create('deployments', object('others', {}))
  await kube.create('deployments', object('web', labels))
  await waitFor(systemClock, 'the news', () => told.length > 0, WAIT)
  expect(new Set(told)).toEqual(new Set(['wrk_1']))

  // Its controller may still report about the first change.
  const deployment = async (): Promise<number | undefined> =>
    (await kube.get('deployments', { namespace: 'default', name: 'web' })).status?.observedGeneration
  await waitFor(systemClock, 'the controller', async () => (await deployment()) === 1, WAIT)
  told.length = 0
  await kube.remove('deployments', { namespace: 'default', name: 'web' })
  await waitFor(systemClock, 'the end', () => told.length > 0, WAIT)
})

test('a Cluster that does not answer is no news, and nothing is known of it', async () => {
  using kube = kubeClient({
    access: parseKubeconfig(NOWHERE).access,
    clock: systemClock,
    userAgent: 'test',
  })
  const parts = { clock: systemClock, random: systemRandom, log: pino({ level: 'silent' }) }
  await using watch = watchWorkloads(parts, { slug: 'gone', kube }, () => expect.unreachable())
  expect(watch.pods('default')).toBeUndefined()
})

test('listing nodes asks the Cluster once for the nodes and at most once for all pods, however many nodes there are', async () => {
  const cluster = await testCluster({ simulatedNodes: { nodes: 40, podsPerNode: 10, readyDelayMs: 0 } })
  await using cleanup = new AsyncDisposableStack()
  cleanup.defer(() => cluster.stop())
  const { access } = parseKubeconfig(await readFile(cluster.kubeconfigPath, 'utf8'))
  const kube = cleanup.use(kubeClient({ access, clock: systemClock, userAgent: 'test' }))
  const isThere = async (): Promise<boolean> => (await kube.list('nodes')).items.length >= 40
  await waitFor(systemClock, 'the nodes', isThere, WAIT)
  const node = (await kube.list('nodes')).items.at(-1)?.metadata.name ?? ''
  for (const [name, more] of Object.entries({ one: labels, two: labels, stranger: {} }))
    await kube.create('pods', {
      metadata: { name, namespace: 'default', labels: more },
      spec: { nodeName: node, containers: [{ name: 'web', image: 'x' }] },
    })
  const asked: string[] = []
  const list: Kube['list'] = (resource, options) => {
    asked.push(resource)
    return kube.list(resource, options)
  }
  const counting = { ...kube, list }
  const page = { limit: 500, continueToken: undefined }
  const { signal } = new AbortController()
  const { nodes } = await listNodes({ kube: counting }, page, signal)
  expect(nodes.length).toBeGreaterThanOrEqual(40)
  expect(nodes.map(({ instances }) => instances).filter((count) => count > 0)).toEqual([2])
  expect(asked).toEqual(['nodes', 'pods'])

  asked.length = 0
  const parts = { clock: systemClock, random: systemRandom, log: pino({ level: 'silent' }) }
  const watch = cleanup.use(watchWorkloads(parts, { slug: 'test', kube }, () => undefined))
  await waitFor(systemClock, 'a first look', () => watch.pods(), WAIT)
  const seen = await listNodes({ kube: counting, podsSeen: watch.pods }, page, signal)
  expect(seen.nodes).toEqual(nodes)
  expect(asked).toEqual(['nodes'])
})
