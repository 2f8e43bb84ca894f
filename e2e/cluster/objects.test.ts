import type { Kube } from '@slipway/kube'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { configMap, deployment } from './manifests.ts'
import { failureOf, newNamespace, type ServerUnderTest, serverNames, startServer } from './servers.ts'

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
