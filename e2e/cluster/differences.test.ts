/*
 * The embedded server side by side with a real one: the same requests must get the same answers, but for what is drawn by
 * chance. Whatever the embedded one serves is compared; what it does not serve it must not advertise.
 */
import { isRecord } from '@slipway/kit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { comparable } from './comparison.ts'
import { type RawRequest, type ServerUnderTest, serverNames, startServer } from './servers.ts'

const hasBoth = serverNames.length === 2

type ApiResource = {
  readonly name: string
  readonly singularName: string
  readonly namespaced: boolean
  readonly kind: string
  readonly verbs: readonly string[]
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
}

describe.runIf(hasBoth)('the embedded server beside a real one', () => {
  const servers: ServerUnderTest[] = []
  let real: ServerUnderTest
  let embedded: ServerUnderTest

  beforeAll(async () => {
    real = await startServer('real')
    servers.push(real)
    embedded = await startServer('embedded')
    servers.push(embedded)
    await both(
      '/api/v1/namespaces',
      post({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'same' } }),
    )
  })
  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]()
  })

  async function both(path: string, request?: RawRequest) {
    const [one, two] = await Promise.all([real.raw(path, request), embedded.raw(path, request)])
    return { real: one, embedded: two }
  }

  /** Path of every group and version that the embedded server has. */
  async function groupPaths(): Promise<string[]> {
    const { json } = await embedded.raw('/apis')
    const groups = (json as { groups: { versions: { groupVersion: string }[] }[] }).groups
    const versions = groups.flatMap((group) =>
      group.versions.map((version) => `/apis/${version.groupVersion}`),
    )
    // Nothing serves metrics beside the real API server.
    return ['/api/v1', ...versions.filter((path) => !path.includes('metrics.k8s.io'))]
  }

  test('discovery: each resource is described alike, with no verb that the real one lacks', async () => {
    const described = { real: new Map<string, unknown>(), embedded: new Map<string, unknown>() }
    for (const path of await groupPaths()) {
      const replies = await both(path)
      const theirs = new Map(resourcesOf(replies.real.json).map((resource) => [resource.name, resource]))
      for (const ours of resourcesOf(replies.embedded.json)) {
        const counterpart = theirs.get(ours.name)
        const verbs = ours.verbs.filter((verb) => counterpart?.verbs.includes(verb))
        described.embedded.set(`${path} ${ours.name}`, { ...ours, storageVersionHash: undefined })
        described.real.set(`${path} ${ours.name}`, { ...counterpart, verbs, storageVersionHash: undefined })
      }
    }
    expect(described.embedded).toEqual(described.real)
  })

  test('tables have the same columns', async () => {
    const accept = 'application/json;as=Table;g=meta.k8s.io;v=v1'
    const columns = { real: new Map<string, unknown>(), embedded: new Map<string, unknown>() }
    for (const path of await groupPaths()) {
      const { json } = await embedded.raw(path)
      for (const { name } of resourcesOf(json).filter((one) => one.verbs.includes('list'))) {
        const replies = await both(`${path}/${name}?limit=1`, { accept })
        columns.embedded.set(`${path} ${name}`, columnsOf(replies.embedded.json))
        columns.real.set(`${path} ${name}`, columnsOf(replies.real.json))
      }
    }
    expect(columns.embedded).toEqual(columns.real)
  })

  const template = {
    metadata: { labels: { app: 'a' } },
    spec: {
      automountServiceAccountToken: false,
      containers: [{ name: 'main', image: 'example.com/app', ports: [{ containerPort: 80 }] }],
    },
  }
  const richContainer = {
    name: 'main',
    image: 'example.com/app:1',
    env: [
      { name: 'A', value: 'b' },
      { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ],
    resources: { requests: { cpu: '0.5', memory: '1024Mi' }, limits: { cpu: '1000m', memory: '2Gi' } },
    readinessProbe: { httpGet: { path: '/', port: 80 } },
    livenessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1 },
    lifecycle: { preStop: { exec: { command: ['true'] } } },
    volumeMounts: [{ name: 'config', mountPath: '/app/config' }],
  }
  const volumes = [
    { name: 'config', configMap: { name: 'c' } },
    { name: 'tmp', emptyDir: {} },
  ]

  const cases: readonly (readonly [what: string, path: string, object: Readonly<Record<string, unknown>>])[] =
    [
      [
        'a ConfigMap',
        '/api/v1/namespaces/same/configmaps',
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { a: 'b' } },
      ],
      [
        'a Secret',
        '/api/v1/namespaces/same/secrets',
        { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' }, stringData: { a: 'b' } },
      ],
      [
        'a ServiceAccount',
        '/api/v1/namespaces/same/serviceaccounts',
        { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'a' } },
      ],
      [
        'a plain pod',
        '/api/v1/namespaces/same/pods',
        {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: 'a', labels: { x: 'y' } },
          spec: { ...template.spec, nodeSelector: { none: 'such' } },
        },
      ],
      [
        'a pod with much in it',
        '/api/v1/namespaces/same/pods',
        {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: 'b' },
          spec: {
            automountServiceAccountToken: false,
            nodeSelector: { none: 'such' },
            containers: [richContainer],
            initContainers: [{ name: 'init', image: 'example.com/init:latest' }],
            volumes,
          },
        },
      ],
      [
        'a Deployment',
        '/apis/apps/v1/namespaces/same/deployments',
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'a' },
          spec: { replicas: 0, selector: { matchLabels: { app: 'a' } }, template },
        },
      ],
      [
        'a Deployment that recreates',
        '/apis/apps/v1/namespaces/same/deployments',
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'b' },
          spec: {
            replicas: 0,
            strategy: { type: 'Recreate' },
            selector: { matchLabels: { app: 'a' } },
            template,
          },
        },
      ],
      [
        'a ReplicaSet',
        '/apis/apps/v1/namespaces/same/replicasets',
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          metadata: { name: 'a' },
          spec: { replicas: 0, selector: { matchLabels: { app: 'a' } }, template },
        },
      ],
      [
        'a Job',
        '/apis/batch/v1/namespaces/same/jobs',
        {
          apiVersion: 'batch/v1',
          kind: 'Job',
          metadata: { name: 'a' },
          spec: { suspend: true, template: { spec: { ...template.spec, restartPolicy: 'Never' } } },
        },
      ],
      [
        'a Service',
        '/api/v1/namespaces/same/services',
        {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'a' },
          spec: { selector: { app: 'a' }, ports: [{ port: 80 }] },
        },
      ],
      [
        'a headless Service',
        '/api/v1/namespaces/same/services',
        {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'b' },
          spec: { clusterIP: 'None', ports: [{ name: 'a', port: 80, targetPort: 'web' }] },
        },
      ],
      [
        'an EndpointSlice',
        '/apis/discovery.k8s.io/v1/namespaces/same/endpointslices',
        {
          apiVersion: 'discovery.k8s.io/v1',
          kind: 'EndpointSlice',
          metadata: { name: 'a' },
          addressType: 'IPv4',
          endpoints: [{ addresses: ['10.1.2.3'] }],
          ports: [{ port: 80 }],
        },
      ],
      [
        'a Lease',
        '/apis/coordination.k8s.io/v1/namespaces/same/leases',
        {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { name: 'a' },
          spec: { holderIdentity: 'x', renewTime: '2026-01-01T00:00:00.000000Z' },
        },
      ],
      [
        'a ResourceQuota',
        '/api/v1/namespaces/same/resourcequotas',
        {
          apiVersion: 'v1',
          kind: 'ResourceQuota',
          metadata: { name: 'a' },
          spec: { hard: { configmaps: '100', 'requests.cpu': '1000m' } },
        },
      ],
      [
        'an HTTPRoute',
        '/apis/gateway.networking.k8s.io/v1/namespaces/same/httproutes',
        {
          apiVersion: 'gateway.networking.k8s.io/v1',
          kind: 'HTTPRoute',
          metadata: { name: 'a' },
          spec: { parentRefs: [{ name: 'g' }], rules: [{ backendRefs: [{ name: 's', port: 80 }] }] },
        },
      ],
      [
        'a Gateway',
        '/apis/gateway.networking.k8s.io/v1/namespaces/same/gateways',
        {
          apiVersion: 'gateway.networking.k8s.io/v1',
          kind: 'Gateway',
          metadata: { name: 'a' },
          spec: { gatewayClassName: 'other', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
        },
      ],
      [
        'a namespace',
        '/api/v1/namespaces',
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'another' } },
      ],
      // Refusals are answers too.
      [
        'a name that is none',
        '/api/v1/namespaces/same/configmaps',
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'A_' } },
      ],
      [
        'a key that is none',
        '/api/v1/namespaces/same/configmaps',
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data: { 'a/b': '' } },
      ],
      [
        'a pod without containers',
        '/api/v1/namespaces/same/pods',
        { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec: {} },
      ],
      [
        'a pod with wrong values',
        '/api/v1/namespaces/same/pods',
        {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: 'x' },
          spec: {
            restartPolicy: 'Often',
            containers: [{ name: 'A', image: '', ports: [{ containerPort: 99999 }], env: [{ name: '' }] }],
          },
        },
      ],
      [
        'requests above limits',
        '/api/v1/namespaces/same/pods',
        {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: 'x' },
          spec: {
            containers: [
              { name: 'a', image: 'b', resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } },
            ],
          },
        },
      ],
      [
        'a quantity that is none',
        '/api/v1/namespaces/same/pods',
        {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: 'x' },
          spec: { containers: [{ name: 'a', image: 'b', resources: { requests: { cpu: 'many' } } }] },
        },
      ],
      [
        'a selector that does not match',
        '/apis/apps/v1/namespaces/same/deployments',
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'x' },
          spec: { selector: { matchLabels: { app: 'b' } }, template },
        },
      ],
      [
        'a Job that always restarts',
        '/apis/batch/v1/namespaces/same/jobs',
        { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'x' }, spec: { template } },
      ],
      [
        'a Service without ports',
        '/api/v1/namespaces/same/services',
        { apiVersion: 'v1', kind: 'Service', metadata: { name: 'x' }, spec: {} },
      ],
      [
        'a mount without its volume',
        '/api/v1/namespaces/same/pods',
        { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec: { containers: [richContainer] } },
      ],
    ]

  test.each(cases)('%s: created and defaulted alike', async (_, path, object) => {
    const replies = await both(`${path}?fieldManager=tester`, post(object))
    expect(replies.embedded.code).toBe(replies.real.code)
    expect(comparable(replies.embedded.json)).toEqual(comparable(replies.real.json))
  })

  test.each([
    ['/api/v1/namespaces/same/configmaps/none'],
    ['/apis/apps/v1/namespaces/same/deployments/none'],
    ['/api/v1/namespaces/same/pods?fieldSelector=spec.other%3Dx'],
    ['/apis/apps/v1/nonsense'],
    ['/apis/none.example.com/v1'],
  ])('GET %s: refused alike', async (path) => {
    const replies = await both(path)
    expect(replies.embedded.code).toBe(replies.real.code)
    expect(replies.embedded.json ?? replies.embedded.text).toEqual(replies.real.json ?? replies.real.text)
  })

  // What a parser says about garbage is its own affair; that it refuses is not.
  test.each([
    ['/api/v1/configmaps?labelSelector=a%20b'],
    ['/api/v1/configmaps?limit=2&continue=garbage'],
    ['/api/v1/configmaps?resourceVersion=5&resourceVersionMatch=Nonsense'],
  ])('GET %s: refused for the same reason', async (path) => {
    const replies = await both(path)
    expect(replies.embedded.code).toBe(replies.real.code)
    expect(replies.embedded.json).toMatchObject({
      reason: isRecord(replies.real.json) && replies.real.json['reason'],
    })
  })

  test.each<[string, RawRequest & { readonly path: string }]>([
    ['apply of a new object', apply('one', { data: { a: '1', b: '1' } })],
    ['the same apply again', apply('one', { data: { a: '1', b: '1' } })],
    ['a conflict', apply('two', { data: { a: '2' } })],
    ['a shared field', apply('two', { data: { a: '1', c: '1' } })],
    ['a field given up', apply('one', { data: { b: '1' } })],
    [
      'labels and annotations',
      apply('one', { metadata: { labels: { x: 'y' }, annotations: { x: 'y' } }, data: { b: '1' } }),
    ],
    [
      'a merge patch',
      {
        path: '/applied?fieldManager=three',
        method: 'PATCH',
        contentType: 'application/merge-patch+json',
        body: { data: { c: '3', d: null } },
      },
    ],
    [
      'a JSON patch',
      {
        path: '/applied?fieldManager=four',
        method: 'PATCH',
        contentType: 'application/json-patch+json',
        body: [{ op: 'add', path: '/data/e', value: '5' }],
      },
    ],
    [
      'a JSON patch that fails',
      {
        path: '/applied',
        method: 'PATCH',
        contentType: 'application/json-patch+json',
        body: [{ op: 'remove', path: '/data/none' }],
      },
    ],
    [
      'a field that is unknown',
      {
        path: '?fieldValidation=Strict',
        ...post({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'u', nam: 1 }, dat: {} }),
      },
    ],
    [
      'a type that is wrong',
      { path: '', ...post({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'u' }, data: { a: 1 } }) },
    ],
    ['a deletion', { path: '/applied', method: 'DELETE' }],
  ])('%s: answered alike', async (_, { path, ...request }) => {
    const replies = await both(`/api/v1/namespaces/same/configmaps${path}`, request)
    expect(replies.embedded.code).toBe(replies.real.code)
    expect(comparable(replies.embedded.json)).toEqual(comparable(replies.real.json))
  })
})

function post(body: object): RawRequest {
  return { method: 'POST', body }
}

function apply(manager: string, fields: { readonly metadata?: object; readonly [field: string]: unknown }) {
  const body = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    ...fields,
    metadata: { name: 'applied', ...fields.metadata },
  }
  const path = `/applied?fieldManager=${manager}`
  return { path, method: 'PATCH', contentType: 'application/apply-patch+yaml', body }
}

function resourcesOf(list: unknown): readonly ApiResource[] {
  return (list as { readonly resources: readonly ApiResource[] }).resources
}

function columnsOf(table: unknown): unknown {
  const columns = isRecord(table) ? table['columnDefinitions'] : undefined
  if (!Array.isArray(columns)) return table
  // The descriptions are upstream's documentation; nothing depends on their words.
  return columns.map((column) => ({ ...(isRecord(column) ? column : {}), description: undefined }))
}
