import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { manualClock, seededRandom, systemClock, waitFor } from '@slipway/kit'
import { expect, test } from 'vitest'

import type { Objects } from '../../model.ts'
import { openRegistry } from '../../registry/index.ts'
import { startNodeController, startPodCollector } from './controller.ts'
import { GRACE_MS } from './plan.ts'

const NODE: Objects['nodes'] = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'far' } }
const POD: Objects['pods'] = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    nodeName: 'far',
    containers: [{ name: 'web', image: 'web' }],
    tolerations: [
      {
        key: 'node.kubernetes.io/unreachable',
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 10,
      },
    ],
  },
}

test('a silent node is given up after its time, its pods lose their traffic, then their place, and it recovers by one sign of life', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-nodes-'))
  const clock = manualClock()
  const open = await openRegistry({ dataFolder: folder, clock, log: () => undefined })
  const { registry } = open
  const parts = { registry, clock, random: seededRandom(1), log: () => undefined }
  const until = <T>(what: string, condition: () => T | undefined | false): Promise<T> =>
    waitFor(systemClock, what, condition, { timeoutMs: 10_000, everyMs: 2 })
  const node = () => registry.get('nodes', undefined, 'far')!
  const pod = () => registry.get('pods', 'default', 'web')
  const taints = (): readonly string[] =>
    (node().spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`)
  const ready = () => node().status?.conditions?.find(({ type }) => type === 'Ready')
  const signOfLife = async (): Promise<void> => {
    const at = clock.now().toISOString()
    const conditions = [{ type: 'Ready', status: 'True', lastHeartbeatTime: at, lastTransitionTime: at }]
    await registry.updateStatus('nodes', { ...node(), status: { conditions } }, 'kubelet')
    // The controller notes the time when it looks, in the next turns of the event loop; the clock stands still until then.
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }

  for (const name of ['default', 'kube-node-lease'])
    await registry.create('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, 'test')
  await registry.create('nodes', NODE, 'kubelet')
  await signOfLife()
  const made = await registry.create('pods', POD, 'test')
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }
  await registry.updateStatus('pods', { ...made, status }, 'kubelet')
  const controllers = [startNodeController(parts), startPodCollector(parts)]
  await until('the first look', () => taints().length === 0)

  await clock.advance(GRACE_MS - 1_000)
  await signOfLife()
  await clock.advance(GRACE_MS - 1_000)
  expect(ready()?.status).toBe('True')
  await clock.advance(2_000)
  await until('Unknown', () => ready()?.status === 'Unknown')
  await until('taints', () => taints().length === 2)
  expect(taints()).toEqual([
    'node.kubernetes.io/unreachable:NoSchedule',
    'node.kubernetes.io/unreachable:NoExecute',
  ])
  await until('no traffic', () =>
    pod()?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'False'),
  )
  expect(pod()?.metadata.deletionTimestamp).toBeUndefined()

  await clock.advance(11_000)
  await until('the eviction', () => pod()?.metadata.deletionTimestamp)
  await signOfLife()
  await until('no taints', () => taints().length === 0)

  await registry.remove('nodes', undefined, 'far')
  await until('the node gone', () => !registry.get('nodes', undefined, 'far'))
  await clock.advance(20_000)
  expect(pod()).toBeDefined()
  await until('the orphan gone', async () => {
    await clock.advance(20_000)
    return pod() === undefined
  })
  for (const controller of controllers) await controller[Symbol.asyncDispose]()
  await open[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})
