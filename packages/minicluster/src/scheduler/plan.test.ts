import { expect, test } from 'vitest'

import { decide } from './plan.ts'
import { podRequests } from './requests.ts'
import { type ClusterState, emptyState, type Node, placePod, type Pod, putNode, removePod } from './state.ts'

const meta = (name: string) => ({
  name,
  uid: name,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
})

function node(
  name: string,
  {
    labels = {},
    spec = {},
    cpu = '4',
    pods = '110',
  }: { labels?: Record<string, string>; spec?: object; cpu?: string; pods?: string } = {},
): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { ...meta(name), labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec,
    status: { allocatable: { cpu, memory: '8Gi', pods } },
  }
}

function pod(
  name: string,
  spec: object = {},
  { cpu = '1', owner }: { cpu?: string; owner?: string } = {},
): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...meta(name),
      namespace: 'shop',
      labels: { app: 'web' },
      ...(owner === undefined
        ? {}
        : {
            ownerReferences: [
              { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner, uid: owner, controller: true },
            ],
          }),
    },
    spec: { containers: [{ name: 'a', resources: { requests: { cpu } } }], ...spec },
  }
}

function stateOf(nodes: readonly Node[], placed: readonly [Pod, string][] = []): ClusterState {
  const state = emptyState()
  for (const one of nodes) putNode(state, one)
  for (const [one, on] of placed) placePod(state, one, on)
  return state
}

/** On its way out, but there until its grace period ends. */
const leaving = (one: Pod): Pod => ({
  ...one,
  metadata: { ...one.metadata, deletionTimestamp: '2026-01-01T00:01:00Z' },
})
const answer = (state: ClusterState, one: Pod): string => {
  const decision = decide(state, one, 0)
  return decision.kind === 'bind' ? decision.node : decision.message
}

const anti = (key = 'kubernetes.io/hostname') => ({
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: key, labelSelector: { matchLabels: { app: 'web' } } },
      ],
    },
  },
})
const company = {
  affinity: {
    podAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'web' } } },
      ],
    },
  },
}
const spread = {
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: 'web' } },
    },
  ],
}
const onNode = (operator: string, values: readonly string[]) => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: 'disk', operator, values }] }],
      },
    },
  },
})
const tainted = { taints: [{ key: 'pool', value: 'gpu', effect: 'NoSchedule' }] }

const cases: [when: string, state: ClusterState, pod: Pod, expected: string][] = [
  ['there is no node', stateOf([]), pod('p'), 'no nodes available to schedule pods'],
  ['it fits', stateOf([node('a')]), pod('p'), 'a'],
  [
    'every node has its own reason',
    stateOf([node('a', { cpu: '500m' }), node('b', { spec: tainted }), node('c', { spec: tainted })]),
    pod('p'),
    '0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {pool: gpu}.',
  ],
  [
    'the taint is tolerated',
    stateOf([node('a', { spec: tainted })]),
    pod('p', { tolerations: [{ key: 'pool', operator: 'Exists' }] }),
    'a',
  ],
  [
    'the node is cordoned',
    stateOf([node('a', { spec: { unschedulable: true } })]),
    pod('p'),
    '0/1 nodes are available: 1 node(s) were unschedulable.',
  ],
  [
    'the selector fits one node',
    stateOf([node('a'), node('b', { labels: { disk: 'ssd' } })]),
    pod('p', { nodeSelector: { disk: 'ssd' } }),
    'b',
  ],
  [
    'node affinity In',
    stateOf([node('a'), node('b', { labels: { disk: 'ssd' } })]),
    pod('p', onNode('In', ['ssd', 'nvme'])),
    'b',
  ],
  [
    'node affinity Gt',
    stateOf([node('a', { labels: { disk: '5' } }), node('b', { labels: { disk: '50' } })]),
    pod('p', onNode('Gt', ['10'])),
    'b',
  ],
  [
    'node affinity Gt compares whole numbers only',
    stateOf([node('a', { labels: { disk: '50.5' } }), node('b', { labels: { disk: 'large' } })]),
    pod('p', onNode('Gt', ['10'])),
    "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
  ],
  [
    'nothing fits the affinity',
    stateOf([node('a')]),
    pod('p', onNode('Exists', [])),
    "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
  ],
  [
    'the room is used up',
    stateOf([node('a', { cpu: '2' })], [[pod('x', {}, { cpu: '1500m' }), 'a']]),
    pod('p'),
    '0/1 nodes are available: 1 Insufficient cpu.',
  ],
  [
    'the number of pods is used up',
    stateOf([node('a', { pods: '1' })], [[pod('x'), 'a']]),
    pod('p'),
    '0/1 nodes are available: 1 Too many pods.',
  ],
  [
    'anti-affinity keeps them apart',
    stateOf([node('a'), node('b')], [[pod('x'), 'a']]),
    pod('p', anti()),
    'b',
  ],
  [
    'anti-affinity leaves no node',
    stateOf([node('a')], [[pod('x'), 'a']]),
    pod('p', anti()),
    "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules.",
  ],
  [
    'one that keeps it away is being deleted, but still there',
    stateOf([node('a')], [[leaving(pod('x')), 'a']]),
    pod('p', anti()),
    "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules.",
  ],
  [
    'a placed pod wants to be alone',
    stateOf([node('a'), node('b')], [[pod('x', anti()), 'a']]),
    pod('p'),
    'b',
  ],
  ['affinity seeks company', stateOf([node('a'), node('b')], [[pod('x'), 'b']]), pod('p', company), 'b'],
  ['the first of a group may begin anywhere', stateOf([node('a')]), pod('p', company), 'a'],
  [
    'the emptier zone is chosen',
    stateOf([node('a', { labels: { zone: '1' } }), node('b', { labels: { zone: '2' } })], [[pod('x'), 'a']]),
    pod('p', spread),
    'b',
  ],
  [
    'those that are being deleted do not count for the spread',
    stateOf(
      [node('a', { labels: { zone: '1' } }), node('b', { labels: { zone: '2' }, cpu: '0' })],
      [[leaving(pod('x')), 'a']],
    ),
    pod('p', spread),
    'a',
  ],
  [
    'those on nodes where it may not be do not count for the spread',
    stateOf(
      [
        node('a', { labels: { zone: '1', disk: 'ssd' } }),
        node('b', { labels: { zone: '1' } }),
        node('c', { labels: { zone: '2', disk: 'ssd' }, cpu: '0' }),
      ],
      [[pod('x'), 'b']],
    ),
    pod('p', { ...spread, nodeSelector: { disk: 'ssd' } }),
    'a',
  ],
  [
    'a node without the zone label does not count',
    stateOf([node('a')]),
    pod('p', spread),
    "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required label).",
  ],
  [
    'pods of one owner spread',
    stateOf([node('a'), node('b')], [[pod('x', {}, { owner: 'r' }), 'a']]),
    pod('p', {}, { owner: 'r' }),
    'b',
  ],
  [
    'a host port is taken',
    stateOf(
      [node('a')],
      [[pod('x', { containers: [{ name: 'a', ports: [{ containerPort: 1, hostPort: 80 }] }] }), 'a']],
    ),
    pod('p', { containers: [{ name: 'a', ports: [{ containerPort: 2, hostPort: 80 }] }] }),
    "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
  ],
]
test.each(cases)('where a pod goes when %s', (_, state, one, expected) =>
  expect(answer(state, one)).toBe(expected),
)

test('what pods ask for is counted once per pod and given back', () => {
  const state = stateOf([node('a')])
  const one = pod('p')
  placePod(state, one, 'a')
  placePod(state, { ...one }, 'a')
  expect(state.nodes.get('a')?.requested.get('cpu')).toBe(1)
  removePod(state, 'p')
  expect(state.nodes.get('a')?.requested.get('cpu')).toBe(0)
})

test('a node that appears after its pods has them counted', () => {
  const state = emptyState()
  placePod(state, pod('p'), 'late')
  putNode(state, node('late'))
  expect(state.nodes.get('late')?.pods.size).toBe(1)
})

test('an init container counts by its peak, a sidecar for the whole life', () => {
  const container = (cpu: string, more: object = {}) => ({
    name: cpu,
    resources: { requests: { cpu } },
    ...more,
  })
  const one = pod('p', {
    initContainers: [container('1', { restartPolicy: 'Always' }), container('5')],
    containers: [container('2')],
    overhead: { cpu: '500m' },
  })
  expect(podRequests(one).get('cpu')).toBe(6.5)
})
