/* What a client learns before it asks for objects: what there is, who it is, what it may do; and what it is told besides. */
import { afterAll, beforeAll, expect, test } from 'vitest'

import { startTestServer, type TestServer } from './testing.ts'

let cluster: TestServer
beforeAll(async () => {
  cluster = await startTestServer()
})
afterAll(() => cluster[Symbol.asyncDispose]())

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'

test('discovery answers the version asked for and says which', async () => {
  for (const version of ['v2', 'v2beta1']) {
    const accept = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList,application/json`
    const reply = await cluster.call('/apis', { accept })
    expect(reply.headers['content-type']).toBe(
      `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
    )
    expect(reply.body).toMatchObject({
      kind: 'APIGroupDiscoveryList',
      apiVersion: `apidiscovery.k8s.io/${version}`,
    })
  }
  expect((await cluster.call('/apis')).body).toMatchObject({ kind: 'APIGroupList' })
  expect((await cluster.call('/api')).body).toMatchObject({ kind: 'APIVersions', versions: ['v1'] })
  expect((await cluster.call('/apis/apps/')).body).toMatchObject({ kind: 'APIGroup', name: 'apps' })
})

test('every advertised resource is there, in a list or by its reviews', async () => {
  const groups = (await cluster.call('/apis')).body['groups'] as unknown as {
    versions: { groupVersion: string }[]
  }[]
  const paths = ['/api/v1', ...groups.map(({ versions }) => `/apis/${versions[0]?.groupVersion}`)]
  for (const path of paths) {
    const { resources } = (await cluster.call(path)).body as unknown as {
      resources: { name: string; namespaced: boolean; verbs: string[] }[]
    }
    for (const { name, namespaced, verbs } of resources.filter((one) => !one.name.includes('/'))) {
      const place = namespaced ? '/namespaces/default' : ''
      const reply = verbs.includes('list')
        ? await cluster.call(`${path}${place}/${name}`)
        : await cluster.call(`${path}/${name}`, { body: {} })
      expect([200, 201], `${path} ${name}`).toContain(reply.status)
    }
  }
})

test('OpenAPI documents lie at hashed addresses that never change their content', async () => {
  const index = (await cluster.call('/openapi/v3')).body['paths'] as unknown as Record<
    string,
    { serverRelativeURL: string }
  >
  const url = index['apis/apps/v1']?.serverRelativeURL ?? ''
  const document = await cluster.call(url)
  expect(document.headers['cache-control']).toBe('public, immutable')
  expect(document.body['paths']).toHaveProperty([
    '/apis/apps/v1/namespaces/{namespace}/deployments/{name}',
    'patch',
    'x-kubernetes-group-version-kind',
  ])
  const again = await cluster.call(url, { headers: { 'if-none-match': String(document.headers['etag']) } })
  expect(again.status).toBe(304)
})

test('a caller learns who it is and what it may do', async () => {
  const who = await cluster.call('/apis/authentication.k8s.io/v1/selfsubjectreviews', {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    headers: { 'impersonate-user': 'jane', 'impersonate-group': 'slipway:organization:org_1' },
  })
  expect(who.body).toMatchObject({
    status: {
      userInfo: { username: 'jane', groups: ['slipway:organization:org_1', 'system:authenticated'] },
    },
  })
})

test('whoever the administrator stands in for has no rights of the administrator', async () => {
  const jane = { 'impersonate-user': 'jane' }
  const secrets = '/api/v1/namespaces/default/secrets'
  expect((await cluster.call(secrets, { headers: jane })).body).toMatchObject({
    code: 403,
    message:
      'secrets is forbidden: User "jane" cannot list resource "secrets" in API group "" in the namespace "default"',
  })
  const masters = { ...jane, 'impersonate-group': 'system:masters' }
  expect((await cluster.call(secrets, { headers: masters })).status).toBe(200)
  const may = await cluster.call('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    body: { spec: { resourceAttributes: { verb: 'list', resource: 'secrets', namespace: 'default' } } },
    headers: jane,
  })
  expect(may.body).toMatchObject({ status: { allowed: false } })
})

test('a ServiceAccount token reads its own namespace without Secrets, and nothing else', async () => {
  const accounts = '/api/v1/namespaces/default/serviceaccounts'
  await cluster.call(accounts, {
    body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } },
  })
  const issued = await cluster.call(`${accounts}/robot/token`, {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 600 } },
  })
  expect(issued.status).toBe(201)
  const { token } = issued.body['status'] as unknown as { token: string }
  expect((await cluster.call(CONFIG_MAPS, { token })).status).toBe(200)
  expect((await cluster.call('/apis', { token })).status).toBe(200)
  const refused: [string, object][] = [
    ['/api/v1/namespaces/default/secrets', {}],
    ['/api/v1/namespaces/other/configmaps', {}],
    ['/api/v1/configmaps', {}],
    ['/api/v1/nodes', {}],
    [CONFIG_MAPS, { body: { metadata: { name: 'by-robot' } } }],
    [`${CONFIG_MAPS}/x`, { method: 'DELETE' }],
    [`${accounts}/robot/token`, { body: {} }],
  ]
  for (const [path, call] of refused)
    expect((await cluster.call(path, { ...call, token })).body, path).toMatchObject({ reason: 'Forbidden' })
  const impersonating = await cluster.call(CONFIG_MAPS, { token, headers: { 'impersonate-user': 'jane' } })
  expect(impersonating.status).toBe(403)
  const otherAudience = await cluster.call(`${accounts}/robot/token`, {
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: ['elsewhere'] },
    },
  })
  const elsewhere = (otherAudience.body['status'] as unknown as { token: string }).token
  expect((await cluster.call(CONFIG_MAPS, { token: elsewhere })).status).toBe(401)
  await cluster.call(`${accounts}/robot`, { method: 'DELETE' })
  expect((await cluster.call(CONFIG_MAPS, { token })).status).toBe(401)
})

test('metrics are Prometheus text with the lines of other parts', async () => {
  const { text } = await cluster.call('/metrics')
  expect(text).toContain('apiserver_request_total{verb="GET"')
  expect(text).toContain('extra_metric 1')
})

test('metrics.k8s.io shows what the agents measure', async () => {
  await cluster.call('/api/v1/nodes', {
    body: { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } },
  })
  const reply = await cluster.call('/apis/metrics.k8s.io/v1beta1/nodes')
  expect(reply.body['items']).toMatchObject([
    { metadata: { name: 'node-1' }, usage: { cpu: '250000000n', memory: '1024Ki' } },
  ])
})
