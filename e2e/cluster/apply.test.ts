/*
 * Server-side apply by several managers, on both servers: which lists are merged by which keys, which are taken as a whole, and
 * who owns what afterwards. The kinds that the platform applies.
 */
import { isRecord } from '@slipway/kit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { comparable, comparableRefusal } from './comparison.ts'
import { type ServerUnderTest, serverNames, startServer } from './servers.ts'

type Fields = Readonly<Record<string, unknown>>
type Application = readonly [manager: string, fields: Fields, force?: boolean]

const GATEWAY = 'gateway.networking.k8s.io/v1'
const backend = (name: string, weight: number): Fields => ({ name, port: 80, weight })
const listener = (name: string, port: number, more: Fields = {}): Fields => ({
  name,
  port,
  protocol: 'HTTP',
  ...more,
})
const podSpec = (...containers: readonly Fields[]): Fields => ({ restartPolicy: 'Never', containers })

const cases: readonly {
  readonly what: string
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
  readonly applications: readonly Application[]
}[] = [
  {
    what: 'an HTTPRoute, whose rules are one field',
    apiVersion: GATEWAY,
    kind: 'HTTPRoute',
    plural: 'httproutes',
    applications: [
      [
        'one',
        {
          spec: {
            parentRefs: [{ name: 'g' }],
            hostnames: ['a.example.com'],
            rules: [{ backendRefs: [backend('s', 1)] }],
          },
        },
      ],
      [
        'two',
        {
          metadata: { labels: { a: 'b' } },
          spec: { rules: [{ backendRefs: [backend('s', 1), backend('t', 3)] }] },
        },
      ],
      ['two', { spec: { rules: [{ backendRefs: [backend('s', 1), backend('t', 3)] }] } }, true],
      [
        'one',
        {
          spec: { parentRefs: [{ name: 'g' }, { name: 'h' }], hostnames: ['a.example.com', 'b.example.com'] },
        },
      ],
      ['two', { metadata: { annotations: { a: 'b' } } }],
    ],
  },
  {
    what: 'a Gateway, whose listeners are merged by name',
    apiVersion: GATEWAY,
    kind: 'Gateway',
    plural: 'gateways',
    applications: [
      ['one', { spec: { gatewayClassName: 'none', listeners: [listener('a', 80)] } }],
      [
        'two',
        { spec: { gatewayClassName: 'none', listeners: [listener('b', 81, { hostname: 'b.example.com' })] } },
      ],
      ['two', { spec: { gatewayClassName: 'none', listeners: [listener('a', 82)] } }],
      ['two', { spec: { gatewayClassName: 'none', listeners: [listener('a', 82)] } }, true],
      ['one', { spec: { gatewayClassName: 'none', listeners: [listener('c', 83)] } }],
    ],
  },
  {
    what: 'a Service, whose ports are merged by port and protocol',
    apiVersion: 'v1',
    kind: 'Service',
    plural: 'services',
    applications: [
      ['one', { spec: { selector: { app: 'a' }, ports: [{ name: 'web', port: 80 }] } }],
      ['two', { spec: { ports: [{ name: 'udp', port: 80, protocol: 'UDP' }] } }],
      ['two', { spec: { selector: { app: 'b' } } }],
      ['two', { spec: { selector: { app: 'b', tier: 'x' } } }, true],
      ['one', { spec: { ports: [{ name: 'web', port: 80, targetPort: 'http' }] } }],
    ],
  },
  {
    what: 'a Job, whose template never changes',
    apiVersion: 'batch/v1',
    kind: 'Job',
    plural: 'jobs',
    applications: [
      [
        'one',
        { spec: { suspend: true, template: { spec: podSpec({ name: 'a', image: 'example.com/a:1' }) } } },
      ],
      ['two', { spec: { parallelism: 2, ttlSecondsAfterFinished: 60 } }],
      ['two', { metadata: { labels: { x: 'y' } }, spec: { parallelism: 2 } }],
      [
        'one',
        { spec: { suspend: true, template: { spec: podSpec({ name: 'a', image: 'example.com/a:2' }) } } },
      ],
    ],
  },
  {
    what: 'a Secret with text and data',
    apiVersion: 'v1',
    kind: 'Secret',
    plural: 'secrets',
    applications: [
      ['one', { data: { a: 'eA==' }, stringData: { b: 'y' } }],
      ['two', { data: { a: 'eQ==', c: 'eA==' } }],
      ['two', { data: { c: 'eA==' } }],
      ['one', { data: { a: 'eA==' } }],
    ],
  },
  {
    what: 'a ServiceAccount and its lists',
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    plural: 'serviceaccounts',
    applications: [
      ['one', { automountServiceAccountToken: false, imagePullSecrets: [{ name: 'a' }] }],
      ['two', { imagePullSecrets: [{ name: 'b' }] }],
      ['one', { imagePullSecrets: [] }],
    ],
  },
  {
    what: 'a ResourceQuota, number by number',
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    plural: 'resourcequotas',
    applications: [
      ['one', { spec: { hard: { services: '100', 'requests.cpu': '10' } } }],
      ['two', { spec: { hard: { 'requests.cpu': '10000m', 'limits.cpu': '20' } } }],
      ['two', { spec: { hard: { 'limits.cpu': '20' } } }],
    ],
  },
]

describe.runIf(serverNames.length === 2)('applied on both servers', () => {
  const servers: ServerUnderTest[] = []
  beforeAll(async () => {
    for (const name of serverNames) servers.push(await startServer(name))
  })
  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]()
  })

  test.each(cases)('$what', async ({ apiVersion, kind, plural, applications }) => {
    const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`
    for (const [manager, fields, force = false] of applications) {
      const metadata = { ...(isRecord(fields['metadata']) && fields['metadata']), name: 'applied' }
      const body = { apiVersion, kind, ...fields, metadata }
      const path = `${root}/namespaces/default/${plural}/applied?fieldManager=${manager}&force=${force}`
      const request = { method: 'PATCH', contentType: 'application/apply-patch+yaml', body }
      const replies = await Promise.all(servers.map((server) => server.raw(path, request)))
      const [real, embedded] = replies.map(({ code, json }) => ({ code, object: settled(json) }))
      expect(embedded, `${manager} ${JSON.stringify(fields)}`).toEqual(real)
    }
  })
})

/** Without status, and without the order of owners, who are sorted by times that differ. */
function settled(value: unknown): unknown {
  const object = comparableRefusal(comparable(value))
  if (!isRecord(object) || object['kind'] === 'Status' || !isRecord(object['metadata'])) return object
  const { managedFields, ...metadata } = object['metadata']
  const entries = Array.isArray(managedFields) ? managedFields.filter((entry) => isRecord(entry)) : []
  const ours = entries.filter((entry) => entry['operation'] === 'Apply')
  const owners = Object.fromEntries(ours.map((entry) => [String(entry['manager']), entry]))
  return { ...object, status: undefined, metadata: { ...metadata, owners } }
}
