import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { canonicalJson, seededRandom, systemClock, systemRandom } from '@slipway/kit'
import {
  clusterReflectors,
  eachObject,
  hasReason,
  type Kube,
  kubeClient,
  parseKubeconfig,
} from '@slipway/kube'
import { startMinicluster } from '@slipway/minicluster'
import { describe, expect, onTestFinished, test } from 'vitest'

import { configMap } from './manifests.ts'
import { newNamespace, serverNames, startServer, until } from './servers.ts'

const LABELS = { watched: 'yes' }
const SELECTION = { labelSelector: 'watched=yes' }

/** What the server has, by name. */
async function contentOf(kube: Kube): Promise<Record<string, unknown>> {
  const content: Record<string, unknown> = {}
  for await (const object of eachObject(kube, 'configmaps', { ...SELECTION, limit: 7 }))
    content[object.metadata.name] = object.data
  return content
}

async function writeAtRandom(kube: Kube, namespace: string, seed: number): Promise<void> {
  const random = seededRandom(seed)
  for (let step = 0; step < 100; step += 1) {
    const name = `m${Math.floor(random() * 15)}`
    // What leaves the selector must leave the cache.
    const labels = random() < 0.8 ? LABELS : {}
    const wanted = configMap(namespace, name, { step: `${seed}-${step}` }, { labels })
    try {
      if (random() < 0.3) await kube.remove('configmaps', { namespace, name })
      else await kube.apply('configmaps', wanted, { manager: `writer-${seed}`, force: true })
    } catch (error) {
      // Several writers at once: another one was faster.
      if (!hasReason(error, 'NotFound') && !hasReason(error, 'Conflict')) throw error
    }
  }
}

describe.each(serverNames)('a reflector of the %s server', (name) => {
  test('ends up with what the server has, after four writers at once', async () => {
    await using server = await startServer(name)
    const { kube } = server
    await using reflectors = clusterReflectors({
      kube,
      clock: systemClock,
      random: systemRandom,
      onError: (error) => console.error(error),
    })
    const namespace = await newNamespace(kube)
    const reflector = reflectors.open('configmaps', SELECTION)
    const cache = await reflector.whenKnown()
    const mirrored = new Map<string, unknown>()
    reflector.onChange((target) => {
      const object = cache.get(target)
      if (object) mirrored.set(target.name, object.data)
      else mirrored.delete(target.name)
    })
    await Promise.all([1, 2, 3, 4].map((seed) => writeAtRandom(kube, namespace, seed)))
    const expected = await contentOf(kube)
    await until('the last event', () => {
      const seen = Object.fromEntries(cache.list().map((object) => [object.metadata.name, object.data]))
      return canonicalJson(seen) === canonicalJson(expected)
    })
    expect(Object.fromEntries(mirrored)).toEqual(expected)
    expect(reflector.status().phase).toBe('synced')
  })
})

test('a reflector goes on when the embedded cluster was stopped and started again', async () => {
  const dataFolder = mkdtempSync(join(tmpdir(), 'slipway-restart-'))
  chmodSync(dataFolder, 0o711)
  onTestFinished(() => rmSync(dataFolder, { recursive: true, force: true }))
  const start = (apiPort: number): ReturnType<typeof startMinicluster> =>
    startMinicluster({ dataFolder, apiPort, gatewayPort: 0, clock: systemClock, log: () => undefined })
  const first = await start(0)
  const { access } = parseKubeconfig(readFileSync(first.kubeconfigPath, 'utf8'))
  using kube = kubeClient({ access, clock: systemClock, userAgent: 'slipway-conformance' })
  const errors: Error[] = []
  await using reflectors = clusterReflectors({
    kube,
    clock: systemClock,
    random: systemRandom,
    onError: (error) => errors.push(error),
  })
  const reflector = reflectors.open('configmaps', SELECTION)
  const cache = await reflector.whenKnown()
  const made = await kube.create('configmaps', configMap('default', 'before', {}, { labels: LABELS }))
  await until('the first object', () => cache.size === 1)

  await first.stop()
  await until('the loss to be noticed', () => reflector.status().phase === 'degraded')
  // What was known stays known: an empty cache would read as "nothing runs".
  expect(cache.size).toBe(1)
  await using second = await start(Number(new URL(first.apiUrl).port))
  expect(second.apiUrl).toBe(first.apiUrl)
  const later = await kube.create('configmaps', configMap('default', 'after', {}, { labels: LABELS }))
  await until('the second object', () => cache.get({ namespace: 'default', name: 'after' }))
  expect(reflector.status().phase).toBe('synced')
  expect(Number(later.metadata.resourceVersion)).toBeGreaterThan(Number(made.metadata.resourceVersion))
  expect(errors.length).toBeGreaterThan(0)
})
