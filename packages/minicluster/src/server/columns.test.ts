import { expect, test } from 'vitest'

import type { AnyObject, Resource } from '../model.ts'
import { durationText } from './cells.ts'
import { columns } from './columns.ts'

const NOW = new Date('2026-01-01T01:00:00Z')

test.each<[number, string]>([
  [0, '0s'],
  [119, '119s'],
  [120, '2m'],
  [185, '3m5s'],
  [600, '10m'],
  [10_799, '179m'],
  [10_800, '3h'],
  [12_060, '3h21m'],
  [28_800, '8h'],
  [172_800, '2d'],
  [180_000, '2d2h'],
  [864_000, '10d'],
  [86_400 * 800, '2y70d'],
  [86_400 * 365 * 9, '9y'],
  [-5, '<invalid>'],
])('%i seconds read as %s', (seconds, text) => expect(durationText(seconds * 1000)).toBe(text))

function cells(resource: Resource, object: object, metadata: object = {}): Record<string, unknown> {
  const whole: AnyObject = {
    apiVersion: 'v1',
    kind: 'X',
    metadata: {
      name: 'x',
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:30:00Z',
      ...metadata,
    },
    ...object,
  }
  return Object.fromEntries(columns[resource].map(({ name, cell }) => [name, cell(whole, NOW)]))
}

const running = { name: 'a', ready: true, restartCount: 0, state: { running: {} } }
const spec = { containers: [{ name: 'a' }] }
const waiting = (reason: string) => ({
  name: 'a',
  ready: false,
  restartCount: 0,
  state: { waiting: { reason } },
})
const ended = (exitCode: number, more: object = {}) => ({
  name: 'a',
  ready: false,
  restartCount: 0,
  state: { terminated: { exitCode, ...more } },
})

test.each<[string, object, object, object]>([
  [
    'runs',
    { phase: 'Running', containerStatuses: [running] },
    {},
    { Status: 'Running', Ready: '1/1', Restarts: '0', Age: '30m' },
  ],
  ['is new', { phase: 'Pending' }, {}, { Status: 'Pending', Ready: '0/1' }],
  [
    'crashes',
    { phase: 'Running', containerStatuses: [waiting('CrashLoopBackOff')] },
    {},
    { Status: 'CrashLoopBackOff' },
  ],
  [
    'has completed',
    { phase: 'Succeeded', containerStatuses: [ended(0, { reason: 'Completed' })] },
    {},
    { Status: 'Completed' },
  ],
  [
    'was killed',
    { phase: 'Failed', containerStatuses: [ended(137, { signal: 9 })] },
    {},
    { Status: 'Signal:9' },
  ],
  ['has failed', { phase: 'Failed', containerStatuses: [ended(3)] }, {}, { Status: 'ExitCode:3' }],
  ['was evicted', { phase: 'Failed', reason: 'Evicted' }, {}, { Status: 'Evicted' }],
  [
    'goes',
    { phase: 'Running', containerStatuses: [running] },
    { deletionTimestamp: '2026-01-01T00:59:00Z' },
    { Status: 'Terminating' },
  ],
  [
    'waits for a gate',
    { phase: 'Pending', conditions: [{ type: 'PodScheduled', reason: 'SchedulingGated' }] },
    {},
    { Status: 'SchedulingGated' },
  ],
  [
    'prepares',
    { phase: 'Pending', initContainerStatuses: [{ name: 'i', state: { running: {} } }] },
    {},
    { Status: 'Init:0/0' },
  ],
  [
    'fails to prepare',
    { phase: 'Pending', initContainerStatuses: [{ ...waiting('CrashLoopBackOff'), name: 'i' }] },
    {},
    { Status: 'Init:CrashLoopBackOff' },
  ],
  [
    'was restarted',
    {
      phase: 'Running',
      containerStatuses: [
        { ...running, restartCount: 2, lastState: { terminated: { finishedAt: '2026-01-01T00:57:00Z' } } },
      ],
    },
    {},
    { Restarts: '2 (3m ago)' },
  ],
])('a pod that %s', (_, status, metadata, expected) => {
  expect(cells('pods', { spec, status }, metadata)).toMatchObject(expected)
})

test('a node says whether it is ready and takes pods', () => {
  const status = { conditions: [{ type: 'Ready', status: 'False' }], nodeInfo: { kubeletVersion: 'v1' } }
  const labels = { 'node-role.kubernetes.io/worker': '', 'node-role.kubernetes.io/edge': '' }
  expect(cells('nodes', { spec: { unschedulable: true }, status }, { labels })).toMatchObject({
    Status: 'NotReady,SchedulingDisabled',
    Roles: 'edge,worker',
    Version: 'v1',
  })
})

test('a Service shows its ports and where it is reached', () => {
  const ports = [
    { port: 80, nodePort: 30_001, protocol: 'TCP' },
    { port: 53, protocol: 'UDP' },
  ]
  expect(cells('services', { spec: { type: 'LoadBalancer', clusterIP: '10.96.0.9', ports } })).toMatchObject({
    'External-IP': '<pending>',
    'Port(s)': '80:30001/TCP,53/UDP',
  })
})

test('a Job shows how far it is', () => {
  const status = {
    succeeded: 1,
    startTime: '2026-01-01T00:50:00Z',
    conditions: [{ type: 'Complete', status: 'True' }],
  }
  expect(cells('jobs', { spec: { completions: 2 }, status })).toMatchObject({
    Status: 'Complete',
    Completions: '1/2',
    Duration: '10m',
  })
})

test('a quota shows use beside limit', () => {
  const status = { hard: { pods: '5', 'limits.cpu': '2' }, used: { pods: '1' } }
  expect(cells('resourcequotas', { status })).toMatchObject({
    Request: 'pods: 1/5',
    Limit: 'limits.cpu: 0/2',
  })
})

test('objects of no content still make rows', () => {
  for (const resource of Object.keys(columns) as Resource[])
    expect(cells(resource, {})).toMatchObject({ Name: 'x' })
})
