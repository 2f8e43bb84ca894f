import type { Live } from '@slipway/kube'
import { expect, test } from 'vitest'

import { instanceOf } from './manifests.ts'

type Pod = Live<'pods'>
const CREATED = '2026-01-31T08:00:00Z'
const LATER = '2026-01-31T09:00:00Z'

function pod(status: Pod['status'], metadata: Partial<Pod['metadata']> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'api-web-1',
      namespace: 'shop',
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: CREATED,
      labels: { 'slipway/workload': 'wrk_1', 'slipway/process': 'web', 'slipway/version': '1a2b3c4d' },
      ...metadata,
    },
    spec: {
      nodeName: 'n1',
      containers: [{ name: 'proxy' }, { name: 'web', ports: [{ containerPort: 8080 }] }],
    },
    ...(status && { status }),
  }
}
type ContainerStatus = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number]
const running = { running: { startedAt: LATER } }

function container(state: ContainerStatus['state'], more: Partial<ContainerStatus> = {}): Pod['status'] {
  return {
    phase: 'Running',
    containerStatuses: [
      {
        name: 'web',
        image: '',
        imageID: '',
        ready: false,
        restartCount: 0,
        ...(state && { state }),
        ...more,
      },
    ],
  }
}
const ended = (exitCode: number, reason = 'Error') => ({
  terminated: { exitCode, reason, finishedAt: LATER },
})

const cases: [when: string, status: Pod['status'], expected: object][] = [
  ['nothing is known yet', undefined, { state: 'Starting', why: null }],
  [
    'it runs and nothing answers yet',
    container(running, { started: false }),
    { state: 'Starting', why: { code: 'instance_no_answer', params: { port: 8080 } } },
  ],
  [
    'it was ended because nothing answered, and still nothing does',
    container(running, { started: false, restartCount: 1, lastState: ended(137) }),
    { state: 'Starting', why: { code: 'instance_no_answer', params: { port: 8080 } } },
  ],
  [
    'it crashed before, and nothing answers yet',
    container(running, { started: false, restartCount: 1, lastState: ended(3) }),
    { state: 'Starting', why: { code: 'instance_exited', params: { exitCode: 3 } } },
  ],
  [
    'no node takes it',
    { conditions: [{ type: 'PodScheduled', status: 'False', message: 'too little memory' }] },
    { state: 'Pending', why: { code: 'instance_unschedulable', params: { problem: 'too little memory' } } },
  ],
  [
    'the image cannot be pulled',
    container({ waiting: { reason: 'ImagePullBackOff', message: 'no such image' } }),
    { state: 'Failing', why: { code: 'instance_image', params: { problem: 'no such image' } } },
  ],
  [
    'it crashes again and again: the exit code is the cause',
    container({ waiting: { reason: 'CrashLoopBackOff' } }, { restartCount: 4, lastState: ended(3) }),
    { state: 'Failing', restarts: 4, why: { code: 'instance_exited', params: { exitCode: 3 } } },
  ],
  [
    'it took too much memory',
    container({ waiting: { reason: 'CrashLoopBackOff' } }, { lastState: ended(137, 'OOMKilled') }),
    { state: 'Failing', why: { code: 'instance_out_of_memory', params: {} } },
  ],
  [
    'it was killed before and runs again',
    { ...container(running, { lastState: ended(137) }), conditions: [{ type: 'Ready', status: 'True' }] },
    { state: 'Ready', ready: true, why: { code: 'instance_killed', params: { signal: 'SIGKILL' } } },
  ],
  ['it starts', container(running, { started: false }), { state: 'Starting' }],
  [
    'it runs and is not ready',
    container(running),
    { state: 'Running', since: new Date(LATER), why: { code: 'instance_not_ready', params: {} } },
  ],
  [
    'its node is silent',
    { ...container(running), conditions: [{ type: 'Ready', status: 'Unknown' }] },
    { state: 'Failing', why: { code: 'instance_node_lost', params: { node: 'n1' } } },
  ],
  [
    'its node evicted it',
    { phase: 'Failed', reason: 'Evicted', message: 'disk pressure' },
    { state: 'Ended', why: { code: 'instance_evicted', params: { problem: 'disk pressure' } } },
  ],
]
test.each(cases)('%s', (_, status, expected) => {
  expect(instanceOf(pod(status))).toMatchObject(expected)
})

test('a deleted pod is ending since the deletion, not since the end of its grace time', () => {
  const metadata = { deletionTimestamp: '2026-01-31T09:00:30Z', deletionGracePeriodSeconds: 30 }
  expect(instanceOf(pod(container(running), metadata))).toMatchObject({
    state: 'Ending',
    since: new Date(LATER),
    ready: false,
  })
})

test('ports are those it really answers at', () => {
  const metadata = { annotations: { 'slipway/ports': '{"8080":20007}' } }
  expect(instanceOf(pod(undefined, metadata)).ports).toEqual({ '8080': 20_007 })
  expect(instanceOf(pod(undefined)).ports).toEqual({ '8080': 8_080 })
})
