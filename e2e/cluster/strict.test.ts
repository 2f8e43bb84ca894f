/*
 * Bodies in which a field stands twice, and persons whom the administrator stands in for: the embedded server must answer as a
 * real one does.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type RawReply, type RawRequest, type ServerUnderTest, serverNames, startServer } from './servers.ts'

const CONFIG_MAPS = '/api/v1/namespaces/twice/configmaps'
const PATCH = 'application/merge-patch+json'
const STRATEGIC = 'application/strategic-merge-patch+json'
const APPLY = 'application/apply-patch+yaml'

const twice = (name: string, more = ''): string =>
  `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","name":"${name}"},"data":{"x":"1","x":"2"}${more}}`
const inYaml = (name: string, more = ''): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  x: "1"\n  x: "2"\n${more}`
const pod =
  '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"bar":{"a":1,"a":2},"containers":[{"name":"a","image":"x","image":"y","env":[{"name":"q","name":"q"}]}],"containers":[]},"zoo":1,"zoo":2}'
const gateway =
  '{"apiVersion":"gateway.networking.k8s.io/v1","kind":"Gateway","metadata":{"name":"g"},"spec":{"gatewayClassName":"a","gatewayClassName":"b","listeners":[{"name":"x","port":80,"protocol":"HTTP","foo":1,"port":81}]}}'

type Case = readonly [what: string, path: string, request: RawRequest]

const cases: readonly Case[] = [
  ['refused', `${CONFIG_MAPS}?fieldValidation=Strict`, { body: twice('a', ',"foo":1,"data":{"z":"1"}') }],
  ['warned of', CONFIG_MAPS, { body: twice('b', ',"foo":1') }],
  ['ignored', `${CONFIG_MAPS}?fieldValidation=Ignore`, { body: twice('c') }],
  ['refused deep inside', '/api/v1/namespaces/twice/pods?fieldValidation=Strict', { body: pod }],
  [
    'refused in a custom kind',
    '/apis/gateway.networking.k8s.io/v1/namespaces/twice/gateways?fieldValidation=Strict',
    { body: gateway },
  ],
  ['refused in a PUT', `${CONFIG_MAPS}/b?fieldValidation=Strict`, { method: 'PUT', body: twice('b') }],
  [
    'warned of in a merge patch',
    `${CONFIG_MAPS}/b`,
    { method: 'PATCH', contentType: PATCH, body: '{"data":{"x":"3","x":"4"},"foo":1}' },
  ],
  [
    'warned of in a strategic merge patch',
    `${CONFIG_MAPS}/b`,
    { method: 'PATCH', contentType: STRATEGIC, body: '{"data":{"x":"5","x":"6"},"foo":1}' },
  ],
  [
    'refused in an apply patch',
    `${CONFIG_MAPS}/d?fieldManager=m&fieldValidation=Strict`,
    { method: 'PATCH', contentType: APPLY, body: inYaml('d') },
  ],
  [
    'warned of in an apply patch of JSON',
    `${CONFIG_MAPS}/d?fieldManager=m`,
    {
      method: 'PATCH',
      contentType: APPLY,
      body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"d"},"data":{"x":"1",\n"x":"2"}}',
    },
  ],
  [
    'refused in YAML',
    `${CONFIG_MAPS}?fieldValidation=Strict`,
    { contentType: 'application/yaml', body: inYaml('e', 'foo: 1\n') },
  ],
  ['warned of in YAML', CONFIG_MAPS, { contentType: 'application/yaml', body: inYaml('f', 'foo: 1\n') }],
]

const persons: readonly Case[] = [
  ['may not list', CONFIG_MAPS, { method: 'GET' }],
  ['may not create', '/api/v1/namespaces', { body: { metadata: { name: 'by-jane' } } }],
  ['may not read a node', '/api/v1/nodes/none', { method: 'GET' }],
  ['may read what there is', '/apis', { method: 'GET' }],
]

function comparable({ code, headers, json }: RawReply): unknown {
  const { message, reason, details, data } = json as Record<string, unknown>
  return { code, warning: headers['warning'], message, reason, details, data }
}

describe.runIf(serverNames.length === 2)('the embedded server beside a real one', () => {
  const servers: ServerUnderTest[] = []

  beforeAll(async () => {
    for (const name of serverNames) servers.push(await startServer(name))
    await replies('/api/v1/namespaces', {
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'twice' } },
    })
  })
  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]()
  })

  const replies = (path: string, request: RawRequest): Promise<RawReply[]> =>
    Promise.all(servers.map((server) => server.raw(path, { method: 'POST', ...request })))

  test.each(cases)('a field that stands twice: %s', async (_, path, request) => {
    const [real, embedded] = (await replies(path, request)).map(comparable)
    expect(embedded).toEqual(real)
  })

  test('a strict patch in which a field stands twice is invalid', async () => {
    const request = {
      method: 'PATCH',
      contentType: PATCH,
      body: '{"data":{"x":"3","x":"4"},"data":{"y":"1"},"foo":1}',
    }
    for (const { json } of await replies(`${CONFIG_MAPS}/b?fieldValidation=Strict`, request))
      expect(json).toMatchObject({
        code: 422,
        message: expect.stringMatching(
          /^ "" is invalid: patch: Invalid value: .*: strict decoding error: duplicate field "data\.x", duplicate field "data", unknown field "foo"$/u,
        ),
      })
  })

  test.each(persons)('a person without rights: %s', async (_, path, request) => {
    const headers = { 'impersonate-user': 'jane', 'impersonate-group': 'staff' }
    const [real, embedded] = (await replies(path, { ...request, headers })).map(comparable)
    expect(embedded).toEqual(real)
  })
})
