import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { seededRandom, systemClock, waitFor } from '@slipway/kit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import type { Objects, Registry, Stored } from '../model.ts'
import { openRegistry, type OpenRegistry } from '../registry/index.ts'
import { startScheduler } from '../scheduler/index.ts'
import { startSimulator } from '../simulator/index.ts'
import { startControllers } from './index.ts'
import type { Parts } from './kit.ts'

let folder: string
let open: OpenRegistry
let registry: Registry
const running: AsyncDisposable[] = []
const warnings: string[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-controllers-'))
  const log = (level: string, message: string, fields?: unknown): void => {
    if (level === 'warn' || level === 'error') warnings.push(`${message} ${JSON.stringify(fields)}`)
  }
  open = await openRegistry({ dataFolder: folder, clock: systemClock, log })
  registry = open.registry
  const parts: Parts = { registry, clock: systemClock, random: seededRandom(1), log }
  running.push(await startControllers({ ...parts, caCertificate: 'a certificate', apiPort: 7443 }))
  running.push(startScheduler(parts))
  running.push(
    await startSimulator(parts, {
      nodes: 3,
      cpuCores: 4,
      readyDelayMs: 20,
      endDelayMs: 20,
      jobDurationMs: 50,
    }),
  )
})

afterAll(async () => {
  for (const one of running) await one[Symbol.asyncDispose]()
  await open[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const template = (app: string, image = 'app:1', cpu = '100m') => ({
  metadata: { labels: { app } },
  spec: {
    tolerations: [{ key: 'slipway/simulated', operator: 'Exists' }],
    containers: [{ name: 'app', image, resources: { requests: { cpu } }, ports: [{ containerPort: 3000 }] }],
  },
})

function deployment(name: string, replicas: number, extra: object = {}): Objects['deployments'] {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: { replicas, selector: { matchLabels: { app: name } }, template: template(name), ...extra },
  }
}

const until = <T>(what: string, condition: () => T | undefined | false): Promise<T> =>
  waitFor(systemClock, what, condition, { timeoutMs: 20_000, everyMs: 10 })

/** Writes over whatever a controller wrote in between, as a PUT without a version does. */
function setSpec(object: Stored<'deployments'>, spec: object): Promise<unknown> {
  const { resourceVersion: _, ...metadata } = object.metadata
  return registry.update('deployments', { ...object, metadata, spec: { ...object.spec!, ...spec } }, 'test')
}

const podsOf = (app: string) =>
  registry.list('pods', 'default').filter((pod) => pod.metadata.labels?.['app'] === app)
const isRolledOut = (name: string, count: number) => () => {
  const found = registry.get('deployments', 'default', name)
  const status = found?.status
  return (
    status?.observedGeneration === found?.metadata.generation &&
    status?.updatedReplicas === count &&
    status?.replicas === count &&
    status?.availableReplicas === count &&
    podsOf(name).length === count
  )
}

test('a new namespace gets its ServiceAccount and root certificate, and the cluster its own Service', async () => {
  await until('the ServiceAccount', () => registry.get('serviceaccounts', 'default', 'default'))
  const found = await until('the ConfigMap', () => registry.get('configmaps', 'default', 'kube-root-ca.crt'))
  expect(found.data?.['ca.crt']).toBe('a certificate')
  expect(registry.get('services', 'default', 'kubernetes')?.spec?.clusterIP).toBe('10.96.0.1')
})

test('a Deployment is rolled out, rolled over to a new version, rolled back and removed with all its pods', async () => {
  await registry.create('deployments', deployment('web', 4), 'test')
  await until('4 pods', isRolledOut('web', 4))
  const first = registry.get('deployments', 'default', 'web')!
  expect(first.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1')
  await until('its end', () =>
    registry
      .get('deployments', 'default', 'web')
      ?.status?.conditions?.find((one) => one.reason === 'NewReplicaSetAvailable'),
  )

  await setSpec(first, { template: template('web', 'app:2') })
  await until('the second version', isRolledOut('web', 4))
  expect(podsOf('web').every((pod) => pod.spec?.containers[0]?.image === 'app:2')).toBe(true)
  const second = registry.get('deployments', 'default', 'web')!
  expect(second.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('2')

  await setSpec(second, { template: first.spec!.template })
  await until('the first version again', isRolledOut('web', 4))
  const replicaSets = registry
    .list('replicasets', 'default')
    .filter((one) => one.metadata.name.startsWith('web-'))
  expect(replicaSets).toHaveLength(2)
  const current = replicaSets.find((one) => one.spec?.replicas === 4)
  expect(current?.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('3')
  expect(current?.metadata.annotations?.['deployment.kubernetes.io/revision-history']).toBe('1')

  await registry.remove('deployments', 'default', 'web', { propagationPolicy: 'Foreground' })
  await until('everything gone', () => !registry.get('deployments', 'default', 'web'))
  expect(podsOf('web')).toHaveLength(0)
  expect(
    registry.list('replicasets', 'default').filter((one) => one.metadata.name.startsWith('web-')),
  ).toHaveLength(0)
})

test('a Recreate Deployment never runs two versions at once', async () => {
  let mixed = 0
  using _ = registry.observe(() => {
    if (new Set(podsOf('solo').map((pod) => pod.spec?.containers[0]?.image)).size > 1) mixed += 1
  })
  await registry.create('deployments', deployment('solo', 2, { strategy: { type: 'Recreate' } }), 'test')
  await until('2 pods', isRolledOut('solo', 2))
  const found = registry.get('deployments', 'default', 'solo')!
  await setSpec(found, { template: template('solo', 'app:2') })
  await until(
    'the second version',
    () => isRolledOut('solo', 2)() && podsOf('solo')[0]?.spec?.containers[0]?.image === 'app:2',
  )
  expect(mixed).toBe(0)
  await registry.remove('deployments', 'default', 'solo', { propagationPolicy: 'Background' })
  await until('pods gone', () => podsOf('solo').length === 0)
})

test('deleting an owner as Orphan leaves its dependents without a reference', async () => {
  await registry.create('deployments', deployment('kept', 1), 'test')
  await until('1 pod', isRolledOut('kept', 1))
  await registry.remove('deployments', 'default', 'kept', { propagationPolicy: 'Orphan' })
  await until('the Deployment gone', () => !registry.get('deployments', 'default', 'kept'))
  const orphan = registry.list('replicasets', 'default').find((one) => one.metadata.name.startsWith('kept-'))
  expect(orphan?.metadata.ownerReferences ?? []).toEqual([])
  expect(podsOf('kept')).toHaveLength(1)
  await registry.remove('replicasets', 'default', orphan!.metadata.name, { propagationPolicy: 'Background' })
  await until('pods gone', () => podsOf('kept').length === 0)
})

test('a Service has an EndpointSlice per port value, with ready and terminating pods told apart', async () => {
  await registry.create('deployments', deployment('served', 3), 'test')
  await registry.create(
    'services',
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'served', namespace: 'default' },
      spec: { selector: { app: 'served' }, ports: [{ port: 80, targetPort: 3000 }] },
    },
    'test',
  )
  await until('3 pods', isRolledOut('served', 3))
  const slices = () =>
    registry
      .list('endpointslices', 'default')
      .filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === 'served')
  await until(
    '3 ready endpoints',
    () => slices().flatMap((one) => one.endpoints?.filter((e) => e.conditions?.ready)).length === 3,
  )
  expect(slices()).toHaveLength(1)
  const pod = podsOf('served')[0]!
  const annotations = { ...pod.metadata.annotations, 'slipway/ports': '{"3000":20007}' }
  await registry.updateStatus('pods', { ...pod, metadata: { ...pod.metadata, annotations } }, 'test')
  await until('two slices', () => slices().length === 2)
  expect(
    slices()
      .map((slice) => String(slice.ports?.[0]?.port))
      .sort(),
  ).toEqual(['20007', '3000'])
  await registry.remove('deployments', 'default', 'served', { propagationPolicy: 'Background' })
  await until('one empty slice', () => slices().length === 1 && slices()[0]?.endpoints?.length === 0)
  await registry.remove('services', 'default', 'served')
  await until('no slices', () => slices().length === 0)
})

test('a Job runs to its completions, counts each pod once and is removed after its time', async () => {
  const job: Objects['jobs'] = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'count', namespace: 'default' },
    spec: {
      completions: 3,
      parallelism: 2,
      ttlSecondsAfterFinished: 1,
      template: { ...template('count'), spec: { ...template('count').spec, restartPolicy: 'Never' } },
    },
  }
  await registry.create('jobs', job, 'test')
  const done = await until('the end', () => {
    const found = registry.get('jobs', 'default', 'count')
    return found?.status?.conditions?.some((one) => one.type === 'Complete' && one.status === 'True')
      ? found
      : undefined
  })
  expect(done.status).toMatchObject({ succeeded: 3, terminating: 0 })
  expect(done.status?.conditions?.map((one) => one.type)).toEqual(['SuccessCriteriaMet', 'Complete'])
  expect(podsOf('count').every((pod) => (pod.metadata.finalizers ?? []).length === 0)).toBe(true)
  await until('its removal', () => !registry.get('jobs', 'default', 'count') && podsOf('count').length === 0)
})

test('a pod that fits nowhere is told why, and runs as soon as there is room', async () => {
  await registry.create(
    'deployments',
    deployment('big', 4, { template: template('big', 'app:1', '3') }),
    'test',
  )
  const refused = await until('a refusal', () =>
    podsOf('big').find((pod) => pod.status?.conditions?.some((one) => one.reason === 'Unschedulable')),
  )
  const why = refused.status?.conditions?.find((one) => one.type === 'PodScheduled')
  expect(why?.message).toBe('0/3 nodes are available: 3 Insufficient cpu.')
  await until('the event', () =>
    registry
      .list('events', 'default')
      .find(
        (event) => event.reason === 'FailedScheduling' && event.involvedObject.name === refused.metadata.name,
      ),
  )
  const found = registry.get('deployments', 'default', 'big')!
  await setSpec(found, { replicas: 3 })
  await until('3 pods', isRolledOut('big', 3))
  await registry.remove('deployments', 'default', 'big', { propagationPolicy: 'Background' })
  await until('pods gone', () => podsOf('big').length === 0)
})

test('a deleted namespace takes everything in it along', async () => {
  await registry.create(
    'namespaces',
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'gone' } },
    'test',
  )
  const inside = deployment('inside', 2)
  await registry.create('deployments', { ...inside, metadata: { name: 'inside', namespace: 'gone' } }, 'test')
  await until(
    '2 pods',
    () => registry.list('pods', 'gone').filter((pod) => pod.status?.phase === 'Running').length === 2,
  )
  await registry.remove('namespaces', undefined, 'gone')
  await until('it gone', () => !registry.get('namespaces', undefined, 'gone'))
  expect(registry.list('pods', 'gone')).toEqual([])
})

test('no controller had to complain', () => {
  expect(warnings).toEqual([])
})
