import { hasReason, KubeError, type Kube } from '@slipway/kube'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { configMap, deployment, pod } from './manifests.ts'
import { newNamespace, type ServerUnderTest, serverNames, startServer, until } from './servers.ts'

async function failureOf(promise: Promise<unknown>): Promise<KubeError> {
  const error: unknown = await promise.then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  )
  if (error instanceof KubeError) return error
  throw error
}

describe.each(serverNames)('objects on the %s server', (name) => {
  let server: ServerUnderTest
  let kube: Kube
  beforeAll(async () => {
    server = await startServer(name)
    kube = server.kube
  })
  afterAll(async () => await server[Symbol.asyncDispose]())

  describe('create and read', () => {
    test('the server fills in uid, version and time; a second create is AlreadyExists', async () => {
      const namespace = await newNamespace(kube)
      const made = await kube.create('configmaps', configMap(namespace, 'a', { k: 'v' }))
      expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/)
      expect(made.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      expect(await kube.get('configmaps', { namespace, name: 'a' })).toEqual(made)
      const again = await failureOf(kube.create('configmaps', configMap(namespace, 'a')))
      expect(again).toMatchObject({
        code: 409,
        reason: 'AlreadyExists',
        message: 'configmaps "a" already exists',
        details: { name: 'a', kind: 'configmaps' },
      })
    })

    test('what is missing is NotFound, named with its group', async () => {
      const namespace = await newNamespace(kube)
      expect(await failureOf(kube.get('deployments', { namespace, name: 'x' }))).toMatchObject({
        code: 404,
        reason: 'NotFound',
        message: 'deployments.apps "x" not found',
        details: { name: 'x', group: 'apps', kind: 'deployments' },
      })
    })

    test('generateName draws a suffix', async () => {
      const namespace = await newNamespace(kube)
      const made = await kube.create('configmaps', { metadata: { namespace, generateName: 'job-' } })
      expect(made.metadata.name).toMatch(/^job-[a-z0-9]{5}$/)
    })

    test('a body of another kind, name or namespace is a bad request', async () => {
      const namespace = await newNamespace(kube)
      const path = `/api/v1/namespaces/${namespace}/configmaps`
      const kinds = await server.raw(path, {
        method: 'POST',
        body: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } },
      })
      expect(kinds).toMatchObject({ code: 400, json: { reason: 'BadRequest' } })
      const spaces = await server.raw(path, {
        method: 'POST',
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'other' } },
      })
      expect(spaces).toMatchObject({
        code: 400,
        json: {
          message: 'the namespace of the provided object does not match the namespace sent on the request',
        },
      })
      await kube.create('configmaps', configMap(namespace, 'a'))
      const names = await server.raw(`${path}/a`, {
        method: 'PUT',
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'b', namespace } },
      })
      expect(names).toMatchObject({ code: 400, json: { reason: 'BadRequest' } })
    })

    test('garbage is a bad request, an unknown content type 415, an unacceptable answer 406', async () => {
      const namespace = await newNamespace(kube)
      const path = `/api/v1/namespaces/${namespace}/configmaps`
      expect((await server.raw(path, { method: 'POST', body: '{' })).code).toBe(400)
      expect((await server.raw(path, { method: 'POST', body: 'x', contentType: 'text/csv' })).code).toBe(415)
      expect((await server.raw(path, { accept: 'image/png' })).code).toBe(406)
    })

    test('YAML is taken as well as JSON', async () => {
      const namespace = await newNamespace(kube)
      const reply = await server.raw(`/api/v1/namespaces/${namespace}/configmaps`, {
        method: 'POST',
        contentType: 'application/yaml',
        body: 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: written\ndata:\n  a: "1"\n',
      })
      expect(reply).toMatchObject({ code: 201, json: { data: { a: '1' } } })
    })

    test('the text of secrets becomes data', async () => {
      const namespace = await newNamespace(kube)
      const made = await kube.create('secrets', {
        metadata: { namespace, name: 's' },
        stringData: { k: 'ä' },
      })
      expect([made.type, made.data, made.stringData]).toEqual(['Opaque', { k: 'w6Q=' }, undefined])
    })

    test('a dry run answers and stores nothing', async () => {
      const namespace = await newNamespace(kube)
      const made = await kube.create('configmaps', configMap(namespace, 'a'), { dryRun: true })
      expect(made.metadata.uid).not.toBe('')
      expect((await failureOf(kube.get('configmaps', { namespace, name: 'a' }))).code).toBe(404)
    })
  })

  describe('update', () => {
    test('a stale version is a Conflict, none is accepted, no change keeps the version', async () => {
      const namespace = await newNamespace(kube)
      const first = await kube.create('configmaps', configMap(namespace, 'a', { v: '1' }))
      const second = await kube.replace('configmaps', { ...first, data: { v: '2' } })
      expect(second.metadata.resourceVersion).not.toBe(first.metadata.resourceVersion)
      expect(await failureOf(kube.replace('configmaps', { ...first, data: { v: '3' } }))).toMatchObject({
        code: 409,
        reason: 'Conflict',
        message:
          'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
      })
      const third = await kube.replace('configmaps', configMap(namespace, 'a', { v: '3' }))
      const same = await kube.replace('configmaps', configMap(namespace, 'a', { v: '3' }))
      expect(same.metadata.resourceVersion).toBe(third.metadata.resourceVersion)
      const uid = '00000000-0000-0000-0000-000000000000'
      expect((await failureOf(kube.replace('configmaps', configMap(namespace, 'a', {}, { uid })))).code).toBe(
        409,
      )
      expect((await failureOf(kube.replace('configmaps', configMap(namespace, 'none')))).code).toBe(404)
    })

    test('spec and status are written apart, and generation counts specs only', async () => {
      const namespace = await newNamespace(kube)
      const name = 'web'
      const wanted = deployment(namespace, name)
      const made = await kube.create('deployments', { ...wanted, status: { replicas: 9 } })
      expect(made.status?.replicas).toBeUndefined()
      expect(made.metadata.generation).toBe(1)
      const target = { namespace, name }
      const labelled = await kube.patch('deployments', target, {
        type: 'merge',
        body: { metadata: { labels: { x: 'y' } } },
      })
      expect(labelled.metadata.generation).toBe(1)
      const changed = await kube.patch('deployments', target, {
        type: 'merge',
        body: { spec: { replicas: 3 }, status: { replicas: 7 } },
      })
      expect([changed.metadata.generation, changed.spec?.replicas]).toEqual([2, 3])
      expect(changed.status?.replicas).not.toBe(7)
      const status = await kube.patch(
        'deployments',
        target,
        { type: 'merge', body: { spec: { replicas: 5 }, status: { collisionCount: 4 } } },
        { subresource: 'status' },
      )
      expect([status.spec?.replicas, status.status?.collisionCount]).toEqual([3, 4])
    })

    test('JSON patch works, and its failing test is 422', async () => {
      const namespace = await newNamespace(kube)
      await kube.create('configmaps', configMap(namespace, 'a', { v: '1' }))
      const target = { namespace, name: 'a' }
      const body = [
        { op: 'test', path: '/data/v', value: '1' },
        { op: 'replace', path: '/data/v', value: '2' },
      ]
      expect((await kube.patch('configmaps', target, { type: 'json', body })).data).toEqual({ v: '2' })
      expect(await failureOf(kube.patch('configmaps', target, { type: 'json', body }))).toMatchObject({
        code: 422,
        reason: 'Invalid',
        message: 'the server rejected our request due to an error in our request',
      })
    })

    test('strategic merge joins containers by name, and is 415 on custom resources', async () => {
      const namespace = await newNamespace(kube)
      await kube.create('deployments', deployment(namespace, 'web', { replicas: 0 }))
      const contentType = 'application/strategic-merge-patch+json'
      const containers = [
        { name: 'side', image: 'example.com/side:1' },
        { name: 'main', image: 'example.com/app:2' },
      ]
      const path = `/apis/apps/v1/namespaces/${namespace}/deployments/web`
      const body = { spec: { template: { spec: { containers } } } }
      const reply = await server.raw(path, { method: 'PATCH', contentType, body })
      expect(reply.code).toBe(200)
      const merged =
        (await kube.get('deployments', { namespace, name: 'web' })).spec?.template.spec?.containers ?? []
      expect(merged.map((one) => [one.name, one.image, one.ports?.length])).toEqual([
        ['side', 'example.com/side:1', undefined],
        ['main', 'example.com/app:2', 1],
      ])
      await kube.create('httproutes', {
        metadata: { namespace, name: 'r' },
        spec: { hostnames: ['a.example.com'] },
      })
      const route = `/apis/gateway.networking.k8s.io/v1/namespaces/${namespace}/httproutes/r`
      expect((await server.raw(route, { method: 'PATCH', contentType, body: {} })).code).toBe(415)
    })

    test('scale answers with a Scale and changes the spec', async () => {
      const namespace = await newNamespace(kube)
      const made = await kube.create('deployments', deployment(namespace, 'web'))
      const target = { namespace, name: 'web' }
      expect((await kube.scale('deployments', target, 5)).replicas).toBe(5)
      const stale = kube.scale('deployments', target, 1, { resourceVersion: made.metadata.resourceVersion })
      expect((await failureOf(stale)).reason).toBe('Conflict')
      const scale = await server.raw(`/apis/apps/v1/namespaces/${namespace}/deployments/web/scale`)
      expect(scale.json).toMatchObject({
        kind: 'Scale',
        apiVersion: 'autoscaling/v1',
        spec: { replicas: 5 },
        status: { selector: 'app=web' },
      })
    })
  })

  describe('server-side apply', () => {
    test('creates, changes nothing the second time, and removes what is no longer applied', async () => {
      const namespace = await newNamespace(kube)
      const options = { manager: 'one' }
      const first = await kube.apply('configmaps', configMap(namespace, 'a', { x: '1', y: '1' }), options)
      expect(first.metadata.managedFields?.map((entry) => [entry.manager, entry.operation])).toEqual([
        ['one', 'Apply'],
      ])
      const same = await kube.apply('configmaps', configMap(namespace, 'a', { x: '1', y: '1' }), options)
      expect(same.metadata.resourceVersion).toBe(first.metadata.resourceVersion)
      const less = await kube.apply('configmaps', configMap(namespace, 'a', { x: '1' }), options)
      expect(less.data).toEqual({ x: '1' })
    })

    test('a field of another manager is a conflict that names manager and field, until forced', async () => {
      const namespace = await newNamespace(kube)
      const wanted = deployment(namespace, 'web')
      await kube.apply('deployments', wanted, { manager: 'one' })
      const changed = deployment(namespace, 'web', { replicas: 3 })
      const error = await failureOf(kube.apply('deployments', changed, { manager: 'two' }))
      expect(error).toMatchObject({
        code: 409,
        reason: 'Conflict',
        message: 'Apply failed with 1 conflict: conflict with "one": .spec.replicas',
        details: {
          causes: [
            { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.spec.replicas' },
          ],
        },
      })
      const forced = await kube.apply('deployments', changed, { manager: 'two', force: true })
      expect(forced.spec?.replicas).toBe(3)
      const image = deployment(namespace, 'web', { replicas: 3, image: 'example.com/app:9' })
      const inList = await failureOf(kube.apply('deployments', image, { manager: 'three' }))
      expect(inList.details.causes?.map((cause) => cause.field)).toContain(
        '.spec.template.spec.containers[name="main"].image',
      )
    })

    test('a version in the object fences it', async () => {
      const namespace = await newNamespace(kube)
      const { metadata } = await kube.apply('configmaps', configMap(namespace, 'a', { x: '1' }), {
        manager: 'one',
      })
      const { resourceVersion } = metadata
      await kube.apply('configmaps', configMap(namespace, 'a', { x: '2' }, { resourceVersion }), {
        manager: 'one',
      })
      const stale = configMap(namespace, 'a', { x: '3' }, { resourceVersion })
      expect((await failureOf(kube.apply('configmaps', stale, { manager: 'one' }))).code).toBe(409)
    })

    test('without a manager, or with managedFields in the body, it is refused', async () => {
      const namespace = await newNamespace(kube)
      const path = `/api/v1/namespaces/${namespace}/configmaps/a`
      const contentType = 'application/apply-patch+yaml'
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }
      const nobody = await server.raw(path, { method: 'PATCH', contentType, body })
      expect(nobody).toMatchObject({ code: 422, json: { reason: 'Invalid' } })
      const managed = { ...body, metadata: { name: 'a', managedFields: [{ manager: 'x' }] } }
      const reply = await server.raw(`${path}?fieldManager=m`, {
        method: 'PATCH',
        contentType,
        body: managed,
      })
      expect(reply).toMatchObject({ code: 400, json: { message: 'metadata.managedFields must be nil' } })
    })

    test('ordinary writes are recorded as Update managers', async () => {
      const namespace = await newNamespace(kube)
      await kube.create('configmaps', configMap(namespace, 'a', { x: '1' }), { manager: 'maker' })
      const patched = await kube.patch(
        'configmaps',
        { namespace, name: 'a' },
        { type: 'merge', body: { data: { x: '2', y: '1' } } },
        { manager: 'editor' },
      )
      const fields = patched.metadata.managedFields?.map(({ manager, operation, fieldsV1 }) => [
        manager,
        operation,
        fieldsV1,
      ])
      expect(fields).toEqual([
        ['editor', 'Update', { 'f:data': { 'f:x': {}, 'f:y': {} } }],
        ['maker', 'Update', { 'f:data': {} }],
      ])
    })
  })

  describe('lists', () => {
    test('label selectors', async () => {
      const namespace = await newNamespace(kube)
      for (const [key, labels] of Object.entries({
        a: { t: 'x' },
        b: { t: 'y' },
        c: { t: 'z', s: '1' },
        d: {},
      }))
        await kube.create('configmaps', configMap(namespace, key, {}, { labels }))
      const named = async (labelSelector: string): Promise<string[]> => {
        const { items } = await kube.list('configmaps', { namespace, labelSelector })
        return items.map((item) => item.metadata.name).filter((one) => one !== 'kube-root-ca.crt')
      }
      expect(await named('t=x')).toEqual(['a'])
      expect(await named('t==y')).toEqual(['b'])
      expect(await named('t!=x')).toEqual(['b', 'c', 'd'])
      expect(await named('t in (x, y)')).toEqual(['a', 'b'])
      expect(await named('t notin (x,y),t')).toEqual(['c'])
      expect(await named('!t')).toEqual(['d'])
      expect(await named('t,s')).toEqual(['c'])
      expect((await failureOf(kube.list('configmaps', { namespace, labelSelector: 't in' }))).code).toBe(400)
    })

    test('field selectors; an unknown one is a bad request', async () => {
      const namespace = await newNamespace(kube)
      await kube.create('configmaps', configMap(namespace, 'a'))
      const found = await kube.list('configmaps', { namespace, fieldSelector: 'metadata.name=a' })
      expect(found.items.map((item) => item.metadata.name)).toEqual(['a'])
      expect(
        (await kube.list('nodes', { fieldSelector: 'spec.unschedulable=false' })).items.length,
      ).toBeGreaterThan(2)
      const unknown = await failureOf(kube.list('configmaps', { namespace, fieldSelector: 'data.a=b' }))
      expect(unknown).toMatchObject({ code: 400, reason: 'BadRequest' })
      expect(unknown.message).toContain('"data.a" is not a known field selector')
    })

    test('pages share one version, which later writes do not touch', async () => {
      const namespace = await newNamespace(kube)
      for (const key of ['a', 'b', 'c', 'd', 'e'])
        await kube.create('configmaps', configMap(namespace, key, {}, { labels: { mine: 'yes' } }))
      const selection = { namespace, labelSelector: 'mine=yes' }
      const first = await kube.list('configmaps', { namespace, limit: 2 })
      expect([first.items.length, first.remainingItemCount]).toEqual([2, 4])
      await kube.create('configmaps', configMap(namespace, 'bb', {}, { labels: { mine: 'yes' } }))
      const second = await kube.list('configmaps', { namespace, limit: 2, continue: first.continue })
      expect(second.resourceVersion).toBe(first.resourceVersion)
      expect(second.items.map((item) => item.metadata.name)).toEqual(['c', 'd'])
      const selected = await kube.list('configmaps', { ...selection, limit: 4 })
      expect([selected.items.length, selected.remainingItemCount]).toEqual([4, undefined])
      expect(
        (await failureOf(kube.list('configmaps', { namespace, limit: 2, continue: 'garbage' }))).code,
      ).toBe(400)
    })

    test('a version from the future is a timeout that names it', async () => {
      const reply = await server.raw(
        '/api/v1/configmaps?resourceVersion=99999999&resourceVersionMatch=NotOlderThan',
      )
      const details = { causes: [{ reason: 'ResourceVersionTooLarge' }] }
      expect(reply).toMatchObject({ code: 504, json: { reason: 'Timeout', details } })
    })
  })

  describe('validation', () => {
    test('unknown fields: Strict refuses, Warn warns, both by name', async () => {
      const namespace = await newNamespace(kube)
      const body = { ...configMap(namespace, 'a'), apiVersion: 'v1', kind: 'ConfigMap', surprise: 1 }
      const path = `/api/v1/namespaces/${namespace}/configmaps`
      const strict = await server.raw(`${path}?fieldValidation=Strict`, { method: 'POST', body })
      expect(strict).toMatchObject({ code: 400, json: { reason: 'BadRequest' } })
      expect(strict.text).toContain('strict decoding error: unknown field \\"surprise\\"')
      const warn = await server.raw(`${path}?fieldValidation=Warn`, { method: 'POST', body })
      expect([warn.code, warn.headers['warning']]).toEqual([201, '299 - "unknown field \\"surprise\\""'])
    })

    const cases: readonly (readonly [string, (namespace: string) => Parameters<Kube['create']>, string[]])[] =
      [
        [
          'a name that is none',
          (namespace) => ['configmaps', configMap(namespace, 'A_b')],
          ['metadata.name'],
        ],
        [
          'a label that is none',
          (namespace) => ['configmaps', configMap(namespace, 'a', {}, { labels: { 'a b': '1' } })],
          ['metadata.labels'],
        ],
        [
          'a pod without containers',
          (namespace) => ['pods', { metadata: { namespace, name: 'p' }, spec: { containers: [] } }],
          ['spec.containers'],
        ],
        [
          'a port and a policy that are none',
          (namespace) => [
            'pods',
            {
              metadata: { namespace, name: 'p' },
              spec: {
                restartPolicy: 'Often',
                containers: [{ name: 'a', image: 'b', ports: [{ containerPort: 0 }] }],
              },
            },
          ],
          ['spec.containers[0].ports[0].containerPort', 'spec.restartPolicy'],
        ],
        [
          'a selector that does not match the template',
          (namespace) => {
            return ['deployments', deployment(namespace, 'web', { templateLabels: { app: 'other' } })]
          },
          ['spec.template.metadata.labels'],
        ],
        [
          'a service without a port',
          (namespace) => ['services', { metadata: { namespace, name: 's' }, spec: { selector: { a: 'b' } } }],
          ['spec.ports'],
        ],
      ]
    test.each(cases)('%s is Invalid, with the field', async (_, make, fields) => {
      const namespace = await newNamespace(kube)
      const error = await failureOf(kube.create(...make(namespace)))
      expect(error).toMatchObject({ code: 422, reason: 'Invalid' })
      const named = new Set(error.details.causes?.map((cause) => cause.field))
      for (const field of fields) expect([...named]).toContain(field)
    })

    test('a selector never changes', async () => {
      const namespace = await newNamespace(kube)
      await kube.create('deployments', deployment(namespace, 'web'))
      const labels = { app: 'other' }
      const changed = deployment(namespace, 'web', { selector: labels, templateLabels: labels })
      const error = await failureOf(kube.replace('deployments', changed))
      expect(error.code).toBe(422)
      expect(error.message).toContain('field is immutable')
    })

    test('Pod Security restricted refuses a pod with its reasons', async () => {
      const namespace = await newNamespace(kube, { 'pod-security.kubernetes.io/enforce': 'restricted' })
      const error = await failureOf(kube.create('pods', pod(namespace, 'p', {})))
      expect(error).toMatchObject({ code: 403, reason: 'Forbidden' })
      expect(error.message).toContain(
        'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false',
      )
    })
  })

  describe('namespaces and quotas', () => {
    test('nothing is created in a namespace that does not exist', async () => {
      expect(await failureOf(kube.create('configmaps', configMap('nowhere', 'a')))).toMatchObject({
        code: 404,
        message: 'namespaces "nowhere" not found',
      })
    })

    test('a new namespace gets its ServiceAccount and the root certificate, and goes with all it holds', async () => {
      const namespace = await newNamespace(kube)
      await until('the ServiceAccount', () =>
        has(kube.get('serviceaccounts', { namespace, name: 'default' })),
      )
      await until('the certificate', () =>
        has(kube.get('configmaps', { namespace, name: 'kube-root-ca.crt' })),
      )
      await kube.create('configmaps', configMap(namespace, 'held', {}, { finalizers: ['example.com/hold'] }))
      await kube.remove('namespaces', { name: namespace })
      const refused = await failureOf(kube.create('configmaps', configMap(namespace, 'late')))
      expect(refused).toMatchObject({ code: 403, details: { causes: [{ reason: 'NamespaceTerminating' }] } })
      expect((await kube.get('namespaces', { name: namespace })).status?.phase).toBe('Terminating')
      const body = { metadata: { finalizers: null } }
      await kube.patch('configmaps', { namespace, name: 'held' }, { type: 'merge', body })
      await until(
        'the end of the namespace',
        async () => !(await has(kube.get('namespaces', { name: namespace }))),
      )
    })

    test('a quota refuses what exceeds it, and counts what is there', async () => {
      const namespace = await newNamespace(kube)
      await kube.create('resourcequotas', {
        metadata: { namespace, name: 'q' },
        spec: { hard: { pods: '1' } },
      })
      const used = async (): Promise<string | undefined> =>
        (await kube.get('resourcequotas', { namespace, name: 'q' })).status?.used?.['pods']
      await until('the first count', async () => (await used()) === '0')
      await kube.create('pods', pod(namespace, 'one', { none: 'such' }))
      const error = await failureOf(kube.create('pods', pod(namespace, 'two', { none: 'such' })))
      expect(error).toMatchObject({
        code: 403,
        message:
          'pods "two" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1',
      })
      await kube.remove('pods', { namespace, name: 'one' }, { gracePeriodSeconds: 0 })
      await until('the count to fall', async () => (await used()) === '0')
    })
  })

  describe('other forms of an answer', () => {
    test('we may do everything, and are told so', async () => {
      const review = await kube.create('selfsubjectaccessreviews', {
        spec: { resourceAttributes: { verb: 'delete', resource: 'nodes' } },
      })
      expect(review.status?.allowed).toBe(true)
    })

    test('a list of names only', async () => {
      const namespace = await newNamespace(kube)
      await kube.create('configmaps', configMap(namespace, 'a', { big: 'x' }))
      const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'
      const { json } = await server.raw(`/api/v1/namespaces/${namespace}/configmaps?labelSelector=`, {
        accept,
      })
      expect(json).toMatchObject({ kind: 'PartialObjectMetadataList' })
      expect(json).not.toHaveProperty('items.0.data')
    })

    test('readyz, version and the groups', async () => {
      expect((await server.raw('/readyz')).text).toBe('ok')
      expect((await server.raw('/version')).json).toMatchObject({ major: '1', minor: '35' })
      expect((await server.raw('/apis')).json).toMatchObject({ kind: 'APIGroupList' })
      expect((await server.raw('/apis/apps/v1')).json).toMatchObject({ kind: 'APIResourceList' })
      expect((await server.raw('/apis/apps/v1/nonsense')).code).toBe(404)
    })
  })
})

async function has(promise: Promise<unknown>): Promise<boolean> {
  try {
    await promise
    return true
  } catch (error) {
    if (hasReason(error, 'NotFound')) return false
    throw error
  }
}
