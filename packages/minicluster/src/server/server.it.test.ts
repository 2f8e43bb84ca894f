import { readFile, stat } from 'node:fs/promises'
import { request as httpsRequest } from 'node:https'

import { systemClock, waitFor } from '@slipway/kit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { startTestServer, type TestServer } from './testing.ts'

let cluster: TestServer
beforeAll(async () => {
  cluster = await startTestServer()
})
afterAll(() => cluster[Symbol.asyncDispose]())

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'

function configMap(name: string, more: object = {}): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...more }, data: { key: 'value' } }
}

async function makeConfigMap(name: string, more: object = {}): Promise<string> {
  const reply = await cluster.call(CONFIG_MAPS, { body: configMap(name, more) })
  expect(reply.status).toBe(201)
  return `${CONFIG_MAPS}/${name}`
}

test('the kubeconfig is for the owner alone and its certificate authority signs the server', async () => {
  const { mode } = await stat(cluster.server.kubeconfigPath)
  expect(mode & 0o777).toBe(0o600)
  const config = JSON.parse(await readFile(cluster.server.kubeconfigPath, 'utf8')) as {
    clusters: [{ cluster: { server: string } }]
  }
  expect(config.clusters[0].cluster.server).toBe(cluster.server.url)
  expect((await cluster.call('/readyz', { token: null })).text).toBe('ok')
})

test('without credentials only health and version answer; wrong ones are refused everywhere', async () => {
  expect((await cluster.call('/version', { token: null })).body).toMatchObject({
    gitVersion: 'v1.35.4+embedded',
  })
  expect((await cluster.call('/api', { token: null })).status).toBe(401)
  expect((await cluster.call(CONFIG_MAPS, { token: null })).body).toMatchObject({
    kind: 'Status',
    status: 'Failure',
    reason: 'Unauthorized',
    code: 401,
  })
  expect((await cluster.call(CONFIG_MAPS, { token: 'wrong' })).status).toBe(401)
  expect((await cluster.call(CONFIG_MAPS, { token: 'a.b.c' })).status).toBe(401)
})

test('an object lives from create over get, replace and delete', async () => {
  const path = await makeConfigMap('life')
  const got = await cluster.call(path)
  expect(got.body).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'life', namespace: 'default' } })
  const replaced = await cluster.call(path, { method: 'PUT', body: { ...got.body, data: { key: 'other' } } })
  expect(replaced.body).toMatchObject({ data: { key: 'other' } })
  const stale = await cluster.call(path, { method: 'PUT', body: { ...got.body, data: { key: 'third' } } })
  expect(stale).toMatchObject({
    status: 409,
    body: { reason: 'Conflict', details: { kind: 'configmaps', name: 'life' } },
  })
  const deleted = await cluster.call(path, { method: 'DELETE', type: 'application/json' })
  expect(deleted.body).toMatchObject({ status: 'Success', details: { kind: 'configmaps', name: 'life' } })
  expect((await cluster.call(path)).body).toMatchObject({
    reason: 'NotFound',
    message: 'configmaps "life" not found',
  })
})

test('a dry run answers as if and leaves nothing', async () => {
  const reply = await cluster.call(`${CONFIG_MAPS}?dryRun=All`, { body: configMap('dry') })
  expect(reply).toMatchObject({ status: 201, body: { metadata: { name: 'dry' } } })
  expect((await cluster.call(`${CONFIG_MAPS}/dry`)).status).toBe(404)
})

test.each<[string, string, string, unknown, object]>([
  [
    'JSON patch',
    'application/json-patch+json',
    'p1',
    [{ op: 'add', path: '/data/b', value: '2' }],
    { key: 'value', b: '2' },
  ],
  ['merge patch', 'application/merge-patch+json', 'p2', { data: { key: null, b: '2' } }, { b: '2' }],
  [
    'strategic merge patch',
    'application/strategic-merge-patch+json',
    'p3',
    { data: { b: '2' } },
    { key: 'value', b: '2' },
  ],
])('a %s changes the object', async (_, type, name, body, data) => {
  const path = await makeConfigMap(name)
  expect((await cluster.call(path, { method: 'PATCH', type, body })).body).toMatchObject({ data })
})

test('a patch of another type is 415, and strategic ones are for built-in kinds only', async () => {
  const path = await makeConfigMap('p4')
  expect((await cluster.call(path, { method: 'PATCH', body: {} })).status).toBe(415)
  const route = '/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes/x'
  const type = 'application/strategic-merge-patch+json'
  await cluster.call('/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes', {
    body: {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'x' },
      spec: {},
    },
  })
  expect((await cluster.call(route, { method: 'PATCH', type, body: {} })).status).toBe(415)
})

test('apply creates, keeps the version when nothing changes, and conflicts with another manager', async () => {
  const path = `${CONFIG_MAPS}/applied`
  const apply = (manager: string, value: string, more = '') =>
    cluster.call(`${path}?fieldManager=${manager}${more}`, {
      method: 'PATCH',
      type: 'application/apply-patch+yaml',
      body: `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: applied\ndata:\n  key: "${value}"\n`,
    })
  const first = await apply('one', '1')
  expect(first.status).toBe(201)
  const again = await apply('one', '1')
  expect(again.status).toBe(200)
  expect(again.body['metadata']).toEqual(first.body['metadata'])
  const conflict = await apply('two', '2')
  expect(conflict).toMatchObject({
    status: 409,
    body: {
      reason: 'Conflict',
      details: { causes: [{ reason: 'FieldManagerConflict', field: '.data.key' }] },
    },
  })
  expect((await apply('two', '2', '&force=true')).body).toMatchObject({ data: { key: '2' } })
  const anonymous = await cluster.call(path, {
    method: 'PATCH',
    type: 'application/apply-patch+yaml',
    body: '{}',
  })
  expect(anonymous.status).toBe(422)
})

test('an unknown field is refused, reported or dropped, as asked', async () => {
  const body = { ...configMap('unknown'), datum: 1 }
  const strict = await cluster.call(`${CONFIG_MAPS}?fieldValidation=Strict`, { body })
  expect(strict).toMatchObject({ status: 400, body: { reason: 'BadRequest' } })
  expect(strict.text).toContain('strict decoding error: unknown field \\"datum\\"')
  const warned = await cluster.call(CONFIG_MAPS, { body })
  expect(warned.status).toBe(201)
  expect(warned.headers['warning']).toBe('299 - "unknown field \\"datum\\""')
  expect(warned.body).not.toHaveProperty('datum')
})

test.each<[string, object, number, string]>([
  [
    'another kind',
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } },
    400,
    'cannot be handled as a ConfigMap',
  ],
  [
    'another version',
    { apiVersion: 'v2', kind: 'ConfigMap', metadata: { name: 'x' } },
    400,
    'does not match the expected API version',
  ],
  [
    'another namespace',
    configMap('x', { namespace: 'other' }),
    400,
    'namespace of the provided object does not match',
  ],
  ['no name', { apiVersion: 'v1', kind: 'ConfigMap' }, 422, 'name or generateName is required'],
  ['a name that is none', configMap('Not A Name'), 422, 'metadata.name'],
])('a body with %s is refused', async (_, body, status, message) => {
  const reply = await cluster.call(CONFIG_MAPS, { body })
  expect(reply.status).toBe(status)
  expect(reply.body['message']).toContain(message)
})

test('bodies that cannot be read are refused with a reason', async () => {
  expect((await cluster.call(CONFIG_MAPS, { body: '{"a":' })).status).toBe(400)
  expect((await cluster.call(CONFIG_MAPS, { body: '[]' })).status).toBe(400)
  expect((await cluster.call(CONFIG_MAPS, { body: 'x', type: 'text/plain' })).status).toBe(415)
  expect((await cluster.call(CONFIG_MAPS, { body: Buffer.alloc(3 * 1024 * 1024 + 1, 32) })).status).toBe(413)
  expect(
    (await cluster.call(CONFIG_MAPS, { body: `{"a":${'['.repeat(200)}${']'.repeat(200)}}` })).status,
  ).toBe(400)
  expect(
    (
      await cluster.call(CONFIG_MAPS, {
        body: Buffer.from('k8s\0garbage'),
        type: 'application/vnd.kubernetes.protobuf',
      })
    ).status,
  ).toBe(400)
  const aliases = 'a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n'
  expect((await cluster.call(CONFIG_MAPS, { body: aliases, type: 'application/yaml' })).status).toBe(400)
})

test('what is not served is 404, a method that is not is 405, and a form that is not is 406', async () => {
  expect((await cluster.call('/api/v1/namespaces/default/widgets')).status).toBe(404)
  expect((await cluster.call('/apis/nope/v1/things')).status).toBe(404)
  expect((await cluster.call('/api/v1/namespaces/default/pods/x/portal')).status).toBe(404)
  expect((await cluster.call('/api/v1/configmaps', { body: configMap('x') })).status).toBe(405)
  expect((await cluster.call(`${CONFIG_MAPS}/x`, { body: configMap('x') })).status).toBe(405)
  expect((await cluster.call(CONFIG_MAPS, { accept: 'text/html' })).status).toBe(406)
  expect((await cluster.call('/%zz')).status).toBe(404)
})

test('lists select by labels and fields and come in pages of one moment', async () => {
  for (const name of ['l1', 'l2', 'l3', 'l4'])
    await makeConfigMap(name, { labels: { group: 'pages', own: name } })
  const list = `${CONFIG_MAPS}?labelSelector=group%3Dpages`
  const names = (reply: { body: { items?: never } }) =>
    ((reply.body.items ?? []) as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name)
  expect(names(await cluster.call(list))).toEqual(['l1', 'l2', 'l3', 'l4'])
  expect(names(await cluster.call(`${list},own+in+(l1,l3)`))).toEqual(['l1', 'l3'])
  expect(names(await cluster.call(`${list},own+notin+(l1,l3)`))).toEqual(['l2', 'l4'])
  expect(names(await cluster.call(`${CONFIG_MAPS}?fieldSelector=metadata.name%3Dl2`))).toEqual(['l2'])
  const first = await cluster.call(`${list}&limit=3`)
  expect(names(first)).toEqual(['l1', 'l2', 'l3'])
  await cluster.call(`${CONFIG_MAPS}/l4`, { method: 'DELETE' })
  const { continue: token, resourceVersion } = first.body['metadata'] as unknown as Record<string, string>
  const second = await cluster.call(`${list}&limit=3&continue=${token}`)
  expect(names(second)).toEqual(['l4'])
  expect(second.body['metadata']).toEqual({ resourceVersion })
  expect((await cluster.call(`${list}&limit=3&continue=${'A'.repeat(24)}`)).status).toBe(410)
  expect((await cluster.call(`${list}&continue=x`)).status).toBe(400)
  expect((await cluster.call(`${CONFIG_MAPS}?fieldSelector=spec.x%3D1`)).status).toBe(400)
  expect((await cluster.call(`${CONFIG_MAPS}?labelSelector=%3D%3D`)).status).toBe(400)
})

test('a list counts what remains only without a selector', async () => {
  const plain = await cluster.call('/api/v1/namespaces?limit=1')
  expect(plain.body['metadata']).toMatchObject({ remainingItemCount: 1 })
  const selected = await cluster.call('/api/v1/namespaces?limit=1&labelSelector=!x')
  expect(selected.body['metadata']).not.toHaveProperty('remainingItemCount')
})

test('a version of the future is a timeout that says when to come again', async () => {
  const reply = await cluster.call(
    `${CONFIG_MAPS}?resourceVersion=999999999&resourceVersionMatch=NotOlderThan`,
  )
  expect(reply).toMatchObject({
    status: 504,
    headers: { 'retry-after': '1' },
    body: { reason: 'Timeout', details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } },
  })
})

test('tables and metadata are answered in the form asked for', async () => {
  const path = await makeConfigMap('formed')
  const table = await cluster.call(path, { accept: TABLE })
  expect(table.body).toMatchObject({
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    columnDefinitions: [{ name: 'Name' }, { name: 'Data' }, { name: 'Age' }],
    rows: [{ cells: ['formed', 1, expect.any(String)], object: { kind: 'PartialObjectMetadata' } }],
  })
  const metadata = await cluster.call(CONFIG_MAPS, {
    accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
  })
  expect(metadata.body).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' })
  expect(metadata.text).not.toContain('"data"')
  const protobufFirst = await cluster.call(path, {
    accept: 'application/vnd.kubernetes.protobuf,application/json',
  })
  expect(protobufFirst.body).toMatchObject({ kind: 'ConfigMap' })
})

test('scale is read and written as a Scale', async () => {
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i:1' }] } }
  await cluster.call('/apis/apps/v1/namespaces/default/deployments', {
    body: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'scaled' },
      spec: { selector: { matchLabels: { a: 'b' } }, template },
    },
  })
  const path = '/apis/apps/v1/namespaces/default/deployments/scaled/scale'
  expect((await cluster.call(path)).body).toMatchObject({
    kind: 'Scale',
    spec: { replicas: 1 },
    status: { selector: 'a=b' },
  })
  const patched = await cluster.call(path, {
    method: 'PATCH',
    type: 'application/merge-patch+json',
    body: { spec: { replicas: 3 } },
  })
  expect(patched.body).toMatchObject({ kind: 'Scale', spec: { replicas: 3 } })
  const negative = await cluster.call(path, {
    method: 'PUT',
    body: { ...patched.body, spec: { replicas: -1 } },
  })
  expect(negative.status).toBe(422)
})

test('deletecollection removes what it selects and answers the list', async () => {
  for (const name of ['dc1', 'dc2']) await makeConfigMap(name, { labels: { dc: 'x' } })
  const reply = await cluster.call(`${CONFIG_MAPS}?labelSelector=dc%3Dx`, { method: 'DELETE' })
  expect(reply.body['items']).toHaveLength(2)
  expect((await cluster.call(`${CONFIG_MAPS}?labelSelector=dc%3Dx`)).body['items']).toHaveLength(0)
})

test('events are the same objects in both of their groups', async () => {
  const involvedObject = { kind: 'Pod', namespace: 'default', name: 'p' }
  await cluster.call('/api/v1/namespaces/default/events', {
    body: {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e1' },
      involvedObject,
      reason: 'Tested',
      message: 'note',
      type: 'Normal',
    },
  })
  const modern = await cluster.call('/apis/events.k8s.io/v1/namespaces/default/events/e1')
  expect(modern.body).toMatchObject({
    apiVersion: 'events.k8s.io/v1',
    note: 'note',
    regarding: involvedObject,
  })
  const selected = await cluster.call('/api/v1/events?fieldSelector=involvedObject.name%3Dp,reason%3DTested')
  expect(selected.body['items']).toHaveLength(1)
})

test('a delete without a length but with a JSON type is no error', async () => {
  const path = await makeConfigMap('bare')
  const { promise, resolve } = Promise.withResolvers<number>()
  const request = httpsRequest(
    {
      ...cluster.connection,
      path,
      method: 'DELETE',
      headers: { authorization: `Bearer ${cluster.server.adminToken}`, 'content-type': 'application/json' },
    },
    (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    },
  )
  request.end()
  expect(await promise).toBe(200)
})

test('a client that leaves in the middle of its body leaves nothing behind', async () => {
  const request = httpsRequest({
    ...cluster.connection,
    path: CONFIG_MAPS,
    method: 'POST',
    headers: {
      authorization: `Bearer ${cluster.server.adminToken}`,
      'content-type': 'application/json',
      'content-length': 1000,
    },
  })
  request.on('error', () => undefined)
  request.write('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"torn"}')
  const inFlight = async () =>
    /apiserver_current_inflight_requests (\d+)/.exec((await cluster.call('/metrics')).text)?.[1]
  await waitFor(systemClock, 'the request to arrive', async () => (await inFlight()) === '2', {
    timeoutMs: 20_000,
  })
  request.destroy()
  await waitFor(systemClock, 'the request to end', async () => (await inFlight()) === '1', {
    timeoutMs: 20_000,
  })
  expect((await cluster.call(`${CONFIG_MAPS}/torn`)).status).toBe(404)
  expect(cluster.problems).toEqual([])
})
