import { hasReason, type Kube } from '@slipway/kube'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { configMap, deployment, pod } from './manifests.ts'
import { failureOf, newNamespace, type ServerUnderTest, serverNames, startServer, until } from './servers.ts'

describe.each(serverNames)('rules of the %s server', (name) => {
  let server: ServerUnderTest
  let kube: Kube
  beforeAll(async () => {
    server = await startServer(name)
    kube = server.kube
  })
  afterAll(async () => await server[Symbol.asyncDispose]())

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
      // Counted with the others, so it must be there already.
      await until('the certificate', () =>
        has(kube.get('configmaps', { namespace, name: 'kube-root-ca.crt' })),
      )
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
