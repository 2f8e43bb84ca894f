/* A drain whose platform is killed again and again: everything leaves once. */
import { readFileSync } from 'node:fs'

import { testDatabase } from '@slipway/db/testing'
import { must, newMasterKey, systemClock, waitFor } from '@slipway/kit'
import { kubeClient, parseKubeconfig } from '@slipway/kube'
import { ApiError, createClient } from '@slipway/sdk'
import { pushProgram, testCluster } from '@slipway/testkit'
import { expect, test } from 'vitest'

import { migrations } from '../../migrations/index.ts'
import { replicaOf, signInFirst } from '../event/process.helper.ts'

const WAIT = { timeoutMs: 120_000, everyMs: 50 }
const program = `require('node:http').createServer((_, r) => r.end('ok')).listen(process.env.PORT, process.env.HOST)`

test('a drain survives that the platform is killed in the middle, and asks nobody to leave twice', async () => {
  await using cluster = await testCluster()
  await using database = await testDatabase({ migrations })
  await using replica = await replicaOf(database, newMasterKey(), cluster.kubeconfigPath)
  const { access } = parseKubeconfig(readFileSync(cluster.kubeconfigPath, 'utf8'))
  using kube = kubeClient({ access, clock: systemClock, userAgent: 'kill-test' })
  const started = await replica.start()
  const secret = await signInFirst(started)
  const api = createClient({ server: started.url, credentials: { bearer: secret } })

  const organization = (await api.createOrganization({ slug: 'acme', name: 'Acme' })).id
  const project = (await api.createProject({ organization, slug: 'shop', name: 'Shop' })).id
  const environment = (await api.createEnvironment({ project, slug: 'test', name: 'Test' })).id
  const application = (await api.createApplication({ project, slug: 'web' })).id
  const workload = (await api.createWorkload({ application, environment })).id
  const push = { secret, repository: 'shop/web', tag: 'one', program }
  await pushProgram({ url: started.url }, push)
  await api.startRelease({ workload, image: 'one', instances: { web: 4 } })
  const ready = async (): Promise<readonly string[]> =>
    (await api.listInstances({ workload })).items.filter((one) => one.ready).map(({ node }) => node ?? '')
  await waitFor(systemClock, 'four Instances', async () => (await ready()).length === 4, WAIT)

  const capacity = { cpu: '8', memory: '16Gi', pods: '100' }
  await kube.create('nodes', {
    metadata: { name: 'paper', labels: { 'slipway/simulated': 'true' } },
    status: { capacity, allocatable: capacity, conditions: [{ type: 'Ready', status: 'True' }] },
  })
  const clusterId = must((await api.listClusters({})).items[0], 'there is a Cluster').id
  const { id } = await api.startDrain({ cluster: clusterId, node: cluster.nodeName })
  const look = async () => {
    try {
      return await api.getEvacuation({ evacuation: id })
    } catch (thrown) {
      // It has just been started again.
      if (thrown instanceof ApiError && (thrown.status === 0 || thrown.status >= 500)) return undefined
      throw thrown
    }
  }
  for (const moved of [1, 2]) {
    await waitFor(
      systemClock,
      `${moved} to have moved`,
      async () => ((await look())?.counts.Moved ?? 0) >= moved,
      WAIT,
    )
    await replica.kill()
    await replica.start()
  }
  const ended = await waitFor(
    systemClock,
    'the drain to end',
    async () => {
      const one = await look()
      return one?.endedAt === null ? undefined : one
    },
    WAIT,
  )
  expect(ended).toMatchObject({ state: 'Done', counts: { Moved: 4, Gone: 0 } })
  expect(new Set(ended.moves.map(({ toInstance }) => toInstance)).size).toBe(4)
  expect(await ready()).toEqual(['paper', 'paper', 'paper', 'paper'])
}, 240_000)
