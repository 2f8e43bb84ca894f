/*
 * Changes of objects, made on a real and on the embedded server: what is allowed, what is refused and with which words, must
 * be the same. Each case creates one object and then sends it merge patches, one after another.
 */
import { isRecord } from '@slipway/kit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { comparable, comparableRefusal } from './comparison.ts'
import { type ServerUnderTest, serverNames, startServer } from './servers.ts'

type Fields = Readonly<Record<string, unknown>>
type Case = readonly [what: string, path: string, object: Fields, patches?: readonly Fields[]]

const CORE = '/api/v1/namespaces/default'
const APPS = '/apis/apps/v1/namespaces/default'
const GATEWAY = '/apis/gateway.networking.k8s.io/v1/namespaces/default'

const nowhere = { none: 'such' }
const container = { name: 'main', image: 'example.com/a:1' }
const podSpec = { automountServiceAccountToken: false, nodeSelector: nowhere, containers: [container] }
const template = { metadata: { labels: { app: 'a' } }, spec: podSpec }
const selector = { matchLabels: { app: 'a' } }

const pod = (name: string, spec: Fields = {}): Fields => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { ...podSpec, ...spec },
})
const withContainer = (fields: Fields): Fields => ({ containers: [{ ...container, ...fields }] })
const deployment = (name: string, spec: Fields = {}): Fields => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: { replicas: 0, selector, template, ...spec },
})
const service = (name: string, spec: Fields): Fields => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec,
})
const job = (name: string, spec: Fields = {}): Fields => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name },
  spec: { suspend: true, template: { spec: { ...podSpec, restartPolicy: 'Never' } }, ...spec },
})
const route = (name: string, rules: readonly Fields[]): Fields => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name },
  spec: { parentRefs: [{ name: 'g' }], rules },
})

const probe = { httpGet: { path: '/', port: 80 } }

const cases: readonly Case[] = [
  [
    'pod: image yes, name no',
    `${CORE}/pods`,
    pod('p1'),
    [{ spec: withContainer({ image: 'example.com/a:2' }) }, { spec: withContainer({ name: 'other' }) }],
  ],
  [
    'pod: most of the spec never changes',
    `${CORE}/pods`,
    pod('p2'),
    [
      { spec: { nodeSelector: { other: 'x' } } },
      { spec: { restartPolicy: 'Never' } },
      { spec: { hostname: 'x' } },
    ],
  ],
  [
    'pod: deadline down, tolerations more',
    `${CORE}/pods`,
    pod('p3', { activeDeadlineSeconds: 100 }),
    [
      { spec: { activeDeadlineSeconds: 50 } },
      { spec: { activeDeadlineSeconds: 70 } },
      { spec: { tolerations: [] } },
    ],
  ],
  [
    'pod: bad probes',
    `${CORE}/pods`,
    pod('p4', withContainer({ livenessProbe: { ...probe, successThreshold: 2 } })),
  ],
  [
    'pod: bad probe without a handler',
    `${CORE}/pods`,
    pod('p5', withContainer({ readinessProbe: { periodSeconds: 1 } })),
  ],
  [
    'pod: bad pull policy and termination',
    `${CORE}/pods`,
    pod('p6', withContainer({ imagePullPolicy: 'Sometimes', terminationMessagePolicy: 'x' })),
  ],
  ['pod: the same container twice', `${CORE}/pods`, pod('p7', { containers: [container, container] })],
  [
    'pod: the same port name twice',
    `${CORE}/pods`,
    pod(
      'p8',
      withContainer({
        ports: [
          { containerPort: 1, name: 'a' },
          { containerPort: 2, name: 'a' },
        ],
      }),
    ),
  ],
  [
    'pod: a long port name, a bad protocol',
    `${CORE}/pods`,
    pod('p9', withContainer({ ports: [{ containerPort: 1, name: 'a-very-long-name', protocol: 'ICMP' }] })),
  ],
  [
    'pod: bad environment',
    `${CORE}/pods`,
    pod(
      'p10',
      withContainer({
        env: [
          { name: '1=2', value: 'x' },
          { name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        ],
      }),
    ),
  ],
  [
    'pod: a bad field path',
    `${CORE}/pods`,
    pod(
      'p11',
      withContainer({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.other' } } }] }),
    ),
  ],
  [
    'pod: volumes of the same name, none and two kinds',
    `${CORE}/pods`,
    pod('p12', {
      volumes: [
        { name: 'v', emptyDir: {} },
        { name: 'v', emptyDir: {} },
        { name: 'w', emptyDir: {}, hostPath: { path: '/' } },
      ],
    }),
  ],
  [
    'pod: mounts twice in one place',
    `${CORE}/pods`,
    pod('p13', {
      ...withContainer({
        volumeMounts: [
          { name: 'v', mountPath: '/a' },
          { name: 'v', mountPath: '/a' },
        ],
      }),
      volumes: [{ name: 'v', emptyDir: {} }],
    }),
  ],
  [
    'pod: negative numbers',
    `${CORE}/pods`,
    pod('p14', { terminationGracePeriodSeconds: -1, activeDeadlineSeconds: 0 }),
  ],
  [
    'pod: negative and unknown resources',
    `${CORE}/pods`,
    pod('p15', withContainer({ resources: { requests: { cpu: '-1', nonsense: '1' } } })),
  ],
  [
    'pod: a bad toleration and affinity',
    `${CORE}/pods`,
    pod('p16', { tolerations: [{ operator: 'Maybe' }, { key: 'a', operator: 'Exists', value: 'b' }] }),
  ],
  [
    'pod: a bad security context',
    `${CORE}/pods`,
    pod(
      'p17',
      withContainer({
        securityContext: { privileged: true, allowPrivilegeEscalation: false, runAsUser: -1 },
      }),
    ),
  ],
  ['pod: an unknown priority class', `${CORE}/pods`, pod('p18', { priorityClassName: 'none' })],
  ['pod: an unknown service account', `${CORE}/pods`, pod('p19', { serviceAccountName: 'none' })],
  [
    'Deployment: scale and strategy',
    `${APPS}/deployments`,
    deployment('d1'),
    [
      { spec: { strategy: { type: 'Recreate' } } },
      { spec: { strategy: { type: 'Recreate', rollingUpdate: null } } },
      { spec: { strategy: { type: 'Other' } } },
    ],
  ],
  [
    'Deployment: surge and unavailable',
    `${APPS}/deployments`,
    deployment('d2', { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } }),
  ],
  [
    'Deployment: percentages',
    `${APPS}/deployments`,
    deployment('d3', { strategy: { rollingUpdate: { maxSurge: '10', maxUnavailable: '200%' } } }),
  ],
  [
    'Deployment: negative numbers',
    `${APPS}/deployments`,
    deployment('d4', {
      replicas: -1,
      minReadySeconds: -1,
      revisionHistoryLimit: -1,
      progressDeadlineSeconds: 0,
    }),
  ],
  [
    'Deployment: selector and template',
    `${APPS}/deployments`,
    deployment('d5'),
    [
      { spec: { selector: { matchLabels: { app: 'b' } } } },
      { spec: { template: { metadata: { labels: { app: 'b' } } } } },
    ],
  ],
  ['Deployment: no selector', `${APPS}/deployments`, deployment('d6', { selector: {} })],
  [
    'Deployment: restart policy',
    `${APPS}/deployments`,
    deployment('d7', { template: { ...template, spec: { ...podSpec, restartPolicy: 'Never' } } }),
  ],
  [
    'Deployment: pause and annotations',
    `${APPS}/deployments`,
    deployment('d8'),
    [
      { spec: { paused: true } },
      { metadata: { annotations: { a: 'b' } } },
      { metadata: { labels: { 'not a label': 'x' } } },
    ],
  ],
  [
    'Job: what never changes',
    '/apis/batch/v1/namespaces/default/jobs',
    job('j1'),
    [
      { spec: { completions: 3 } },
      { spec: { backoffLimit: 3 } },
      { spec: { suspend: true, parallelism: 2 } },
      { spec: { template: { spec: { restartPolicy: 'OnFailure' } } } },
    ],
  ],
  [
    'Job: numbers',
    '/apis/batch/v1/namespaces/default/jobs',
    job('j2', {
      completions: -1,
      parallelism: -1,
      backoffLimit: -1,
      activeDeadlineSeconds: -1,
      ttlSecondsAfterFinished: -1,
    }),
  ],
  [
    'Service: ports',
    `${CORE}/services`,
    service('s1', { ports: [{ port: 80 }, { port: 80 }, { port: 0, targetPort: 'Bad_Name' }] }),
  ],
  ['Service: names of ports', `${CORE}/services`, service('s2', { ports: [{ port: 80 }, { port: 81 }] })],
  [
    'Service: type and address',
    `${CORE}/services`,
    service('s3', { ports: [{ port: 80 }] }),
    [
      { spec: { clusterIP: '10.1.2.3' } },
      { spec: { sessionAffinity: 'ClientIP' } },
      { spec: { type: 'Other' } },
      { spec: { ports: [{ port: 81 }] } },
    ],
  ],
  [
    'Service: external name',
    `${CORE}/services`,
    service('s4', { type: 'ExternalName', externalName: 'example.com' }),
  ],
  [
    'ConfigMap: immutable',
    `${CORE}/configmaps`,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c1' }, data: { a: '1' } },
    [{ immutable: true }, { data: { a: '2' } }, { immutable: false }],
  ],
  [
    'ConfigMap: binary and text of one name',
    `${CORE}/configmaps`,
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'c2' },
      data: { a: '1' },
      binaryData: { a: 'eA==' },
    },
  ],
  [
    'Secret: type',
    `${CORE}/secrets`,
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x1' }, data: { a: 'eA==' } },
    [{ type: 'other' }, { data: { 'b/c': 'eA==' } }, { stringData: { d: 'e' } }],
  ],
  [
    'Secret: types with rules',
    `${CORE}/secrets`,
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'x2' },
      type: 'kubernetes.io/dockerconfigjson',
      data: { a: 'eA==' },
    },
  ],
  [
    'Secret: a TLS pair',
    `${CORE}/secrets`,
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x3' }, type: 'kubernetes.io/tls', data: {} },
  ],
  [
    'metadata: what never changes',
    `${CORE}/configmaps`,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm1' } },
    [
      { metadata: { name: 'm2' } },
      { metadata: { namespace: 'other' } },
      { metadata: { finalizers: ['nonsense'] } },
      { metadata: { ownerReferences: [{ name: 'x' }] } },
    ],
  ],
  [
    'metadata: annotations too large',
    `${CORE}/configmaps`,
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'm3', annotations: { a: 'x'.repeat(300_000) } },
    },
  ],
  [
    'Lease',
    '/apis/coordination.k8s.io/v1/namespaces/default/leases',
    {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'l1' },
      spec: { leaseDurationSeconds: 0 },
    },
  ],
  [
    'ResourceQuota',
    `${CORE}/resourcequotas`,
    {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'q1' },
      spec: { hard: { pods: '-1', cpu: '1.5' } },
    },
  ],
  [
    'HTTPRoute: weights and filters',
    `${GATEWAY}/httproutes`,
    route('r1', [{ backendRefs: [{ name: 's', port: 80, weight: 0 }] }]),
    [
      { spec: { rules: [{ backendRefs: [{ name: 's', port: 80, weight: -1 }] }] } },
      { spec: { hostnames: ['*.example.com', 'Bad Host'] } },
      { spec: { rules: [{ matches: [{ path: { type: 'Exact', value: 'x' } }] }] } },
    ],
  ],
  ['HTTPRoute: a port is needed', `${GATEWAY}/httproutes`, route('r2', [{ backendRefs: [{ name: 's' }] }])],
  [
    'HTTPRoute: timeouts',
    `${GATEWAY}/httproutes`,
    route('r3', [{ timeouts: { request: '1s', backendRequest: '2s' } }]),
  ],
  [
    'HTTPRoute: a wrong type',
    `${GATEWAY}/httproutes`,
    route('r4', [{ backendRefs: [{ name: 's', port: 'eighty' }] }]),
  ],
  [
    'Namespace: phase and finalizers',
    '/api/v1/namespaces',
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n1' } },
    [
      { metadata: { labels: { a: 'b' } } },
      { spec: { finalizers: [] } },
      { status: { phase: 'Terminating' } },
    ],
  ],
]

describe.runIf(serverNames.length === 2)('changes on both servers', () => {
  const servers: ServerUnderTest[] = []
  beforeAll(async () => {
    for (const name of serverNames) servers.push(await startServer(name))
  })
  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]()
  })

  const named = cases.map(([what, path, object, patches = []]) => ({ what, path, object, patches }))
  test.each(named)('$what', async ({ path, object, patches }) => {
    const name = isRecord(object['metadata']) ? String(object['metadata']['name']) : ''
    const contentType = 'application/merge-patch+json'
    const requests = [
      { path, method: 'POST', body: object, contentType: 'application/json' },
      ...patches.map((body) => ({ path: `${path}/${name}`, method: 'PATCH', body, contentType })),
    ]
    for (const { path: at, ...request } of requests) {
      const replies = await Promise.all(
        servers.map((server) => server.raw(`${at}?fieldManager=tester`, request)),
      )
      const [real, embedded] = replies.map((reply) => ({ code: reply.code, object: settled(reply.json) }))
      expect(embedded, JSON.stringify(request.body)).toEqual(real)
    }
  })
})

/** Without what controllers add at a time of their own. */
function settled(value: unknown): unknown {
  const object = comparableRefusal(comparable(value))
  if (!isRecord(object) || object['kind'] === 'Status' || !isRecord(object['metadata'])) return object
  const { managedFields: _, annotations, ...metadata } = object['metadata']
  const { 'deployment.kubernetes.io/revision': __, ...kept } = isRecord(annotations) ? annotations : {}
  return { ...object, status: undefined, metadata: { ...metadata, annotations: kept } }
}
