import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { manualClock } from '@slipway/kit'
import { afterEach, beforeEach, expect, test } from 'vitest'

import type { Objects, Registry } from '../model.ts'
import { openRegistry, type OpenRegistry } from './registry.ts'

let dataFolder = ''
let opened: OpenRegistry
let registry: Registry
const clock = manualClock()

beforeEach(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'slipway-registry-'))
  opened = await openRegistry({ dataFolder, clock, log: () => undefined })
  registry = opened.registry
  await registry.create('namespaces', { metadata: { name: 'demo' } }, 'test')
})
afterEach(async () => {
  await opened[Symbol.asyncDispose]()
  await rm(dataFolder, { recursive: true })
})

function pod(name: string, more: Partial<Objects['pods']['spec']> = {}): Objects['pods'] {
  return {
    metadata: { name, namespace: 'demo' },
    spec: { containers: [{ name: 'app', image: 'a:1' }], ...more },
  }
}

test('a created object has an identity, a version and its kind', async () => {
  const made = await registry.create('configmaps', { metadata: { name: 'a', namespace: 'demo' } }, 'test')
  expect(made).toMatchObject({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'demo' },
  })
  expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/)
  expect(registry.get('configmaps', 'demo', 'a')).toBe(made)
})

test('a second create is AlreadyExists, also when both are under way', async () => {
  const make = () => registry.create('configmaps', { metadata: { name: 'a', namespace: 'demo' } }, 'test')
  const results = await Promise.allSettled([make(), make()])
  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected'])
  await expect(make()).rejects.toMatchObject({
    code: 409,
    reason: 'AlreadyExists',
    message: 'configmaps "a" already exists',
  })
})

test('generateName finds a free name', async () => {
  const object = { metadata: { generateName: 'a-', namespace: 'demo' } }
  const made = await Promise.all(
    Array.from({ length: 50 }, () => registry.create('configmaps', object, 'test')),
  )
  expect(new Set(made.map(({ metadata }) => metadata.name)).size).toBe(50)
  expect(made[0]?.metadata.name).toMatch(/^a-[a-z0-9]{5}$/)
})

test('a missing namespace is 404 and a terminating one 403 with its cause', async () => {
  const inGone = { metadata: { name: 'a', namespace: 'gone' } }
  await expect(registry.create('configmaps', inGone, 'test')).rejects.toMatchObject({ code: 404 })
  await registry.remove('namespaces', undefined, 'demo')
  await expect(
    registry.create('configmaps', { metadata: { name: 'a', namespace: 'demo' } }, 'test'),
  ).rejects.toMatchObject({
    code: 403,
    details: { causes: [{ reason: 'NamespaceTerminating' }] },
  })
})

test('a namespace goes when its finalizers are emptied after the delete', async () => {
  await registry.remove('namespaces', undefined, 'demo')
  const namespace = registry.get('namespaces', undefined, 'demo')
  expect(namespace?.status?.phase).toBe('Terminating')
  await registry.update('namespaces', { ...namespace, spec: { finalizers: [] } }, 'test')
  expect(registry.get('namespaces', undefined, 'demo')).toBeUndefined()
})

test('an update with a stale version is a Conflict and one that changes nothing keeps the version', async () => {
  const first = await registry.create(
    'configmaps',
    { metadata: { name: 'a', namespace: 'demo' }, data: { key: '1' } },
    'test',
  )
  expect(await registry.update('configmaps', first, 'test')).toBe(first)
  await registry.update('configmaps', { ...first, data: { key: '2' } }, 'test')
  await expect(registry.update('configmaps', { ...first, data: { key: '3' } }, 'test')).rejects.toMatchObject(
    {
      code: 409,
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
    },
  )
})

test('status and spec are written apart, and only spec counts as a generation', async () => {
  const made = await registry.create('pods', pod('a'), 'test')
  expect(made.status).toMatchObject({ phase: 'Pending', qosClass: 'BestEffort' })
  const running = await registry.updateStatus(
    'pods',
    {
      ...made,
      spec: { containers: [{ name: 'other', image: 'b:1' }] },
      metadata: { ...made.metadata, labels: { x: 'y' }, annotations: { 'slipway/ports': '{}', other: '1' } },
      status: { phase: 'Running' },
    },
    'kubelet',
  )
  expect(running.status?.phase).toBe('Running')
  expect(running.spec?.containers[0]?.name).toBe('app')
  expect(running.metadata.labels).toBeUndefined()
  expect(running.metadata.annotations).toEqual({ 'slipway/ports': '{}' })
  expect(running.metadata.generation).toBe(1)
  const labelled = await registry.update(
    'pods',
    { ...running, metadata: { ...running.metadata, labels: { a: 'b' } }, status: { phase: 'Failed' } },
    'test',
  )
  expect(labelled.status?.phase).toBe('Running')
  expect(labelled.metadata.generation).toBe(1)
})

test('a pod that runs gets its grace period, a second delete may only shorten it', async () => {
  await registry.create('pods', pod('a', { terminationGracePeriodSeconds: 20 }), 'test')
  await registry.bind('demo', 'a', 'node-1')
  await registry.remove('pods', 'demo', 'a')
  expect(registry.get('pods', 'demo', 'a')?.metadata).toMatchObject({
    deletionTimestamp: '2026-01-01T00:00:20Z',
    deletionGracePeriodSeconds: 20,
  })
  await registry.remove('pods', 'demo', 'a', { gracePeriodSeconds: 40 })
  expect(registry.get('pods', 'demo', 'a')?.metadata.deletionGracePeriodSeconds).toBe(20)
  await registry.remove('pods', 'demo', 'a', { gracePeriodSeconds: 0 })
  expect(registry.get('pods', 'demo', 'a')).toBeUndefined()
})

test('a pod on no node goes at once', async () => {
  await registry.create('pods', pod('a'), 'test')
  await registry.remove('pods', 'demo', 'a')
  expect(registry.get('pods', 'demo', 'a')).toBeUndefined()
})

test('finalizers hold an object until the last one is taken away; new ones are refused then', async () => {
  const made = await registry.create(
    'configmaps',
    { metadata: { name: 'a', namespace: 'demo', finalizers: ['x.io/hold'] } },
    'test',
  )
  await registry.remove('configmaps', 'demo', 'a')
  const held = registry.get('configmaps', 'demo', 'a')
  expect(held?.metadata.deletionTimestamp).toBeDefined()
  await expect(
    registry.update(
      'configmaps',
      { metadata: { ...made.metadata, resourceVersion: '', finalizers: ['x.io/hold', 'x.io/more'] } },
      'test',
    ),
  ).rejects.toMatchObject({ code: 422 })
  await registry.update('configmaps', { metadata: { name: 'a', namespace: 'demo' } }, 'test')
  expect(registry.get('configmaps', 'demo', 'a')).toBeUndefined()
})

test.each([
  ['Foreground', ['foregroundDeletion']],
  ['Orphan', ['orphan']],
] as const)(
  'a %s delete leaves its finalizer for the garbage collector',
  async (propagationPolicy, finalizers) => {
    await registry.create('configmaps', { metadata: { name: 'a', namespace: 'demo' } }, 'test')
    await registry.remove('configmaps', 'demo', 'a', { propagationPolicy })
    expect(registry.get('configmaps', 'demo', 'a')?.metadata.finalizers).toEqual(finalizers)
  },
)

test('preconditions of a delete are kept', async () => {
  await registry.create('configmaps', { metadata: { name: 'a', namespace: 'demo' } }, 'test')
  await expect(
    registry.remove('configmaps', 'demo', 'a', { preconditions: { uid: 'other' } }),
  ).rejects.toMatchObject({ code: 409 })
})

test('a pod is bound once', async () => {
  await registry.create('pods', pod('a'), 'test')
  await registry.bind('demo', 'a', 'node-1')
  expect(registry.get('pods', 'demo', 'a')?.status?.conditions).toMatchObject([
    { type: 'PodScheduled', status: 'True' },
  ])
  await expect(registry.bind('demo', 'a', 'node-2')).rejects.toMatchObject({
    code: 409,
    message: 'Operation cannot be fulfilled on pods/binding "a": pod a is already assigned to node "node-1"',
  })
})

test('a quota refuses what exceeds it, also among writes under way at once', async () => {
  await registry.create(
    'resourcequotas',
    { metadata: { name: 'q', namespace: 'demo' }, spec: { hard: { pods: '2' } } },
    'test',
  )
  const results = await Promise.allSettled(
    ['a', 'b', 'c'].map((name) => registry.create('pods', pod(name), 'test')),
  )
  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
  await expect(registry.create('pods', pod('d'), 'test')).rejects.toMatchObject({
    code: 403,
    message: 'pods "d" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2',
  })
})

test('a quota of compute adds up requests and wants them stated', async () => {
  await registry.create(
    'resourcequotas',
    { metadata: { name: 'q', namespace: 'demo' }, spec: { hard: { 'requests.cpu': '1', memory: '1Gi' } } },
    'test',
  )
  const sized = (name: string, cpu: string) =>
    pod(name, {
      containers: [{ name: 'app', image: 'a:1', resources: { requests: { cpu, memory: '512Mi' } } }],
    })
  await registry.create('pods', sized('a', '600m'), 'test')
  await expect(registry.create('pods', sized('b', '500m'), 'test')).rejects.toThrow(
    'exceeded quota: q, requested: requests.cpu=500m, used: requests.cpu=600m, limited: requests.cpu=1',
  )
  await expect(registry.create('pods', pod('c'), 'test')).rejects.toThrow(
    'failed quota: q: must specify memory for: app; requests.cpu for: app',
  )
})

test('Services get addresses of their own and keep them', async () => {
  const service = (name: string, more: object = {}): Objects['services'] => ({
    metadata: { name, namespace: 'demo' },
    spec: { ports: [{ port: 80 }], selector: { a: 'b' }, ...more },
  })
  const [a, b] = await Promise.all([
    registry.create('services', service('a'), 'test'),
    registry.create('services', service('b', { type: 'NodePort' }), 'test'),
  ])
  expect(a.spec?.clusterIP).toMatch(/^10\.96\./)
  expect(b.spec?.clusterIP).not.toBe(a.spec?.clusterIP)
  expect(b.spec?.ports?.[0]?.nodePort).toBeGreaterThanOrEqual(30_000)
  const updated = await registry.update('services', service('a', { selector: { c: 'd' } }), 'test')
  expect(updated.spec?.clusterIP).toBe(a.spec?.clusterIP)
  await expect(
    registry.create('services', service('c', { clusterIP: a.spec?.clusterIP }), 'test'),
  ).rejects.toThrow('provided IP is already allocated')
})

test('what a caller passes in may be changed afterwards without harm', async () => {
  const data: Record<string, string> = { key: '1' }
  await registry.create('configmaps', { metadata: { name: 'a', namespace: 'demo' }, data }, 'test')
  data['key'] = '2'
  expect(registry.get('configmaps', 'demo', 'a')?.data).toEqual({ key: '1' })
})
