import { hasReason, KubeError, type Kube, type Objects, type ResourceName } from '@slipway/kube'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { configMap, deployment, pod } from './manifests.ts'
import { newNamespace, type ServerUnderTest, serverNames, startServer, until } from './servers.ts'

describe.each(serverNames)('deletion on the %s server', (name) => {
  let server: ServerUnderTest
  let kube: Kube
  beforeAll(async () => {
    server = await startServer(name)
    kube = server.kube
  })
  afterAll(async () => await server[Symbol.asyncDispose]())

  async function exists(resource: ResourceName, namespace: string, named: string): Promise<boolean> {
    try {
      await kube.get(resource, { namespace, name: named })
      return true
    } catch (error) {
      if (hasReason(error, 'NotFound')) return false
      throw error
    }
  }

  async function withOwner(namespace: string): Promise<{ uid: string }> {
    const owner = await kube.create('configmaps', configMap(namespace, 'owner'))
    const { uid } = owner.metadata
    const ownerReferences = [
      { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid, blockOwnerDeletion: true },
    ]
    await kube.create('configmaps', configMap(namespace, 'owned', {}, { ownerReferences }))
    // The collector must have seen both, or the first policy says nothing about it.
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    return { uid }
  }

  test('a finalizer holds the object, which takes no new one, until it is removed', async () => {
    const namespace = await newNamespace(kube)
    const target = { namespace, name: 'a' }
    await kube.create('configmaps', configMap(namespace, 'a', {}, { finalizers: ['example.com/hold'] }))
    const lingering = await kube.remove('configmaps', target)
    expect(lingering?.metadata.deletionTimestamp).toBeDefined()
    const more = { metadata: { finalizers: ['example.com/hold', 'example.com/more'] } }
    await expect(kube.patch('configmaps', target, { type: 'merge', body: more })).rejects.toMatchObject({
      code: 422,
    })
    await kube.patch('configmaps', target, { type: 'merge', body: { metadata: { finalizers: null } } })
    expect(await exists('configmaps', namespace, 'a')).toBe(false)
  })

  test('preconditions are conflicts when they do not hold', async () => {
    const namespace = await newNamespace(kube)
    const made = await kube.create('configmaps', configMap(namespace, 'a'))
    const target = { namespace, name: 'a' }
    const uid = '00000000-0000-0000-0000-000000000000'
    await expect(kube.remove('configmaps', target, { preconditions: { uid } })).rejects.toMatchObject({
      code: 409,
    })
    await expect(
      kube.remove('configmaps', target, { preconditions: { resourceVersion: '1' } }),
    ).rejects.toMatchObject({ code: 409 })
    expect(
      await kube.remove('configmaps', target, { preconditions: { uid: made.metadata.uid } }),
    ).toBeUndefined()
    await expect(kube.remove('configmaps', target)).rejects.toMatchObject({ code: 404, reason: 'NotFound' })
  })

  test('a dry run deletes nothing', async () => {
    const namespace = await newNamespace(kube)
    await kube.create('configmaps', configMap(namespace, 'a'))
    await kube.remove('configmaps', { namespace, name: 'a' }, { dryRun: true })
    expect(await exists('configmaps', namespace, 'a')).toBe(true)
  })

  test('Background: the owner goes at once, what it owns follows', async () => {
    const namespace = await newNamespace(kube)
    await withOwner(namespace)
    await kube.remove('configmaps', { namespace, name: 'owner' }, { propagationPolicy: 'Background' })
    expect(await exists('configmaps', namespace, 'owner')).toBe(false)
    await until('the owned to go', async () => !(await exists('configmaps', namespace, 'owned')))
  })

  test('Foreground: the owner stays until what it owns is gone', async () => {
    const namespace = await newNamespace(kube)
    await withOwner(namespace)
    await kube.patch(
      'configmaps',
      { namespace, name: 'owned' },
      { type: 'merge', body: { metadata: { finalizers: ['example.com/hold'] } } },
    )
    const lingering = await kube.remove(
      'configmaps',
      { namespace, name: 'owner' },
      { propagationPolicy: 'Foreground' },
    )
    expect(lingering?.metadata.finalizers).toContain('foregroundDeletion')
    await until('the owned to be deleted', async () => {
      const owned = await kube.get('configmaps', { namespace, name: 'owned' })
      return owned.metadata.deletionTimestamp !== undefined
    })
    expect(await exists('configmaps', namespace, 'owner')).toBe(true)
    await kube.patch(
      'configmaps',
      { namespace, name: 'owned' },
      { type: 'merge', body: { metadata: { finalizers: null } } },
    )
    await until('both to go', async () => !(await exists('configmaps', namespace, 'owner')))
    expect(await exists('configmaps', namespace, 'owned')).toBe(false)
  })

  test('Orphan: what it owns stays and forgets its owner', async () => {
    const namespace = await newNamespace(kube)
    await withOwner(namespace)
    await kube.remove('configmaps', { namespace, name: 'owner' }, { propagationPolicy: 'Orphan' })
    await until('the owner to go', async () => !(await exists('configmaps', namespace, 'owner')))
    const owned = await kube.get('configmaps', { namespace, name: 'owned' })
    expect(owned.metadata.ownerReferences ?? []).toEqual([])
    expect(owned.metadata.deletionTimestamp).toBeUndefined()
  })

  test('an owner that never was is as good as gone', async () => {
    const namespace = await newNamespace(kube)
    const uid = '00000000-0000-0000-0000-000000000000'
    const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'none', uid }]
    await kube.create('configmaps', configMap(namespace, 'owned', {}, { ownerReferences }))
    await until('the owned to go', async () => !(await exists('configmaps', namespace, 'owned')))
  })

  test('a collection is deleted by selector', async () => {
    const namespace = await newNamespace(kube)
    await kube.create('configmaps', configMap(namespace, 'a', {}, { labels: { t: 'x' } }))
    await kube.create('configmaps', configMap(namespace, 'b'))
    await kube.removeAll('configmaps', { namespace, labelSelector: 't=x' })
    expect(await exists('configmaps', namespace, 'a')).toBe(false)
    expect(await exists('configmaps', namespace, 'b')).toBe(true)
  })

  test('a running pod gets its grace period; without one it goes at once', async () => {
    const namespace = await newNamespace(kube)
    const wanted = pod(namespace, 'slow', server.nodeSelector)
    const spec = { ...wanted.spec, terminationGracePeriodSeconds: 600 } as Objects['pods']['spec']
    await kube.create('pods', {
      ...wanted,
      ...(spec && { spec }),
      metadata: { ...wanted.metadata, finalizers: ['example.com/hold'] },
    })
    const target = { namespace, name: 'slow' }
    await until('the pod to run', async () => (await kube.get('pods', target)).status?.phase === 'Running')
    const lingering = await kube.remove('pods', target)
    expect(lingering?.metadata.deletionGracePeriodSeconds).toBe(600)
    // The node may be faster: a simulated one takes finalizers off too.
    const unlessGone = (error: unknown): void => {
      if (!(error instanceof KubeError) || error.code !== 404) throw error
    }
    const release = { type: 'merge', body: { metadata: { finalizers: null } } } as const
    await kube.patch('pods', target, release).catch(unlessGone)
    await kube.remove('pods', target, { gracePeriodSeconds: 0 }).catch(unlessGone)
    await until('the pod to go', async () => !(await exists('pods', namespace, 'slow')))
  })
})

describe.each(serverNames)('a Deployment on the %s server', (name) => {
  let server: ServerUnderTest
  let kube: Kube
  beforeAll(async () => {
    server = await startServer(name)
    kube = server.kube
  })
  afterAll(async () => await server[Symbol.asyncDispose]())

  test('comes up, grows, changes its version and goes with all its pods', async () => {
    const namespace = await newNamespace(kube)
    const target = { namespace, name: 'web' }
    await kube.create('deployments', deployment(namespace, 'web', { nodeSelector: server.nodeSelector }))
    const readyAt = async (replicas: number, updated = replicas): Promise<boolean> => {
      const { status, metadata } = await kube.get('deployments', target)
      return (
        status?.observedGeneration === metadata.generation &&
        status?.readyReplicas === replicas &&
        status?.replicas === replicas &&
        status?.updatedReplicas === updated
      )
    }
    await until('two replicas', () => readyAt(2))
    await kube.scale('deployments', target, 4)
    await until('four replicas', () => readyAt(4))

    const before = await kube.list('replicasets', { namespace })
    const parts = { nodeSelector: server.nodeSelector, replicas: 4, image: 'example.com/app:2' }
    await kube.replace('deployments', deployment(namespace, 'web', parts))
    await until('the new version', () => readyAt(4))
    const sets = await kube.list('replicasets', { namespace })
    expect([before.items.length, sets.items.length]).toEqual([1, 2])
    expect(new Set(sets.items.map((set) => set.spec?.replicas))).toEqual(new Set([0, 4]))
    const revisions = sets.items.map((set) => set.metadata.annotations?.['deployment.kubernetes.io/revision'])
    expect(new Set(revisions)).toEqual(new Set(['1', '2']))
    const conditions = (await kube.get('deployments', target)).status?.conditions ?? []
    expect(Object.fromEntries(conditions.map((one) => [one.type, [one.status, one.reason]]))).toEqual({
      Available: ['True', 'MinimumReplicasAvailable'],
      Progressing: ['True', 'NewReplicaSetAvailable'],
    })

    await kube.remove('deployments', target, { propagationPolicy: 'Foreground' })
    await until('the pods to go', async () => (await kube.list('pods', { namespace })).items.length === 0)
    await until(
      'the Deployment to go',
      async () => (await kube.list('deployments', { namespace })).items.length === 0,
    )
  })

  test('a pod that fits nowhere stays pending, with the reason', async () => {
    const namespace = await newNamespace(kube)
    await kube.create('pods', pod(namespace, 'p', { none: 'such' }))
    const condition = await until('the verdict', async () =>
      (await kube.get('pods', { namespace, name: 'p' })).status?.conditions?.find(
        (one) => one.type === 'PodScheduled',
      ),
    )
    expect([condition.status, condition.reason]).toEqual(['False', 'Unschedulable'])
    expect(condition.message).toMatch(/^0\/\d+ nodes are available: /)
  })

  test('a Job runs to its end', async () => {
    const namespace = await newNamespace(kube)
    const made = await kube.create('jobs', {
      metadata: { namespace, name: 'once' },
      spec: {
        backoffLimit: 0,
        template: {
          spec: {
            restartPolicy: 'Never',
            nodeSelector: { none: 'such' },
            containers: [{ name: 'main', image: 'example.com/job:1' }],
          },
        },
      },
    })
    expect(made.spec?.template.metadata?.labels).toMatchObject({ 'batch.kubernetes.io/job-name': 'once' })
    const found = await until('its pod', async () => (await kube.list('pods', { namespace })).items[0])
    const status = { phase: 'Succeeded' }
    const target = { namespace, name: found.metadata.name }
    await kube.patch('pods', target, { type: 'merge', body: { status } }, { subresource: 'status' })
    await until('the end of the Job', async () => {
      const { status } = await kube.get('jobs', { namespace, name: 'once' })
      return (
        status?.succeeded === 1 &&
        status.conditions?.some((one) => one.type === 'Complete' && one.status === 'True')
      )
    })
  })

  test('an EndpointSlice lists the pods that are ready', async () => {
    const namespace = await newNamespace(kube)
    await kube.create('services', {
      metadata: { namespace, name: 'web' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
    })
    await kube.create('deployments', deployment(namespace, 'web', { nodeSelector: server.nodeSelector }))
    const labelSelector = 'kubernetes.io/service-name=web'
    const endpoints = await until('two ready endpoints', async () => {
      const { items } = await kube.list('endpointslices', { namespace, labelSelector })
      const ready = items.flatMap((slice) => slice.endpoints ?? []).filter((one) => one.conditions?.ready)
      return ready.length === 2 && ready
    })
    expect(endpoints.every((one) => one.targetRef?.kind === 'Pod' && one.nodeName !== undefined)).toBe(true)
    expect((await kube.get('services', { namespace, name: 'web' })).spec?.clusterIP).toMatch(/^10\./)
  })
})
