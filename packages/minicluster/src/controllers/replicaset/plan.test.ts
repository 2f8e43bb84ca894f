import { expect, test } from 'vitest'

import type { Pod } from '../pods.ts'
import { claimPods, orderForDeletion, planScale, planStatus, type ReplicaSet } from './plan.ts'

const NOW = new Date('2026-01-01T01:00:00Z')
const replicaSet: ReplicaSet = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: {
    name: 'web',
    namespace: 'shop',
    uid: 'r',
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
  },
  spec: {
    replicas: 2,
    minReadySeconds: 10,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web' }] } },
  },
}

type Shape = {
  readonly owner?: string
  readonly app?: string
  readonly node?: string
  readonly phase?: string
  readonly readySince?: string
  readonly cost?: string
  readonly restarts?: number
  readonly created?: string
  readonly going?: boolean
}

function pod(name: string, shape: Shape = {}): Pod {
  const {
    owner = 'r',
    app = 'web',
    node = 'n1',
    phase = 'Running',
    readySince,
    cost,
    restarts = 0,
    created = '00:00',
    going,
  } = shape
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'shop',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: `2026-01-01T${created}:00Z`,
      labels: { app },
      ...(cost === undefined ? {} : { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } }),
      ...(going ? { deletionTimestamp: '2026-01-01T00:30:00Z' } : {}),
      ...(owner === ''
        ? {}
        : {
            ownerReferences: [
              { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: owner, controller: true },
            ],
          }),
    },
    spec: { containers: [{ name: 'web' }], ...(node === '' ? {} : { nodeName: node }) },
    status: {
      phase,
      ...(readySince === undefined
        ? {}
        : {
            conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: `2026-01-01T${readySince}Z` }],
          }),
      containerStatuses: [{ name: 'web', image: '', imageID: '', ready: true, restartCount: restarts }],
    },
  }
}

const names = (pods: readonly Pod[]): readonly string[] => pods.map(({ metadata }) => metadata.name)

test('own pods are kept, matching orphans adopted, strangers released, foreign and finished ones left alone', () => {
  const claims = claimPods(replicaSet, [
    pod('own'),
    pod('orphan', { owner: '' }),
    pod('relabelled', { app: 'other' }),
    pod('foreign', { owner: 'x' }),
    pod('finished-orphan', { owner: '', phase: 'Succeeded' }),
  ])
  expect([names(claims.own), names(claims.adopt), names(claims.release)]).toEqual([
    ['own'],
    ['orphan'],
    ['relabelled'],
  ])
})

const scales: [when: string, pods: readonly Pod[], create: number, remove: readonly string[]][] = [
  ['nothing there: makes all', [], 2, []],
  [
    'finished and going pods do not count',
    [pod('a', { phase: 'Failed' }), pod('b', { going: true }), pod('c')],
    1,
    [],
  ],
  [
    'one too many: the pending one goes',
    [
      pod('a', { readySince: '00:10:00' }),
      pod('b', { phase: 'Pending' }),
      pod('c', { readySince: '00:10:00' }),
    ],
    0,
    ['b'],
  ],
]
test.each(scales)('%s', (_, pods, create, remove) => {
  const step = planScale(replicaSet, pods)
  expect([step.create, names(step.remove)]).toEqual([create, remove])
})

test('pods go in the order of what their loss costs', () => {
  const ready = '00:10:00'
  const pods = [
    pod('oldest', { readySince: '00:01:00', node: 'n9' }),
    pod('young', { readySince: ready, node: 'n8' }),
    pod('restarted', { readySince: '00:01:00', node: 'n7', restarts: 3 }),
    pod('crowded-1', { readySince: '00:01:00', node: 'n2' }),
    pod('crowded-2', { readySince: '00:01:00', node: 'n2', created: '00:05' }),
    pod('cheap', { readySince: '00:01:00', node: 'n6', cost: '-5' }),
    pod('unready', { node: 'n5' }),
    pod('pending', { phase: 'Pending', node: 'n4' }),
    pod('unassigned', { phase: 'Pending', node: '' }),
  ]
  expect(names(orderForDeletion(pods))).toEqual([
    'unassigned',
    'pending',
    'unready',
    'cheap',
    'crowded-2',
    'crowded-1',
    'young',
    'restarted',
    'oldest',
  ])
})

test('a pod counts as available only after minReadySeconds, and the status says when to look again', () => {
  const { status, againInMs } = planStatus(
    replicaSet,
    [pod('a', { readySince: '00:59:55' }), pod('b', { readySince: '00:59:50' })],
    undefined,
    NOW,
  )
  expect(status).toMatchObject({ replicas: 2, readyReplicas: 2, availableReplicas: 1 })
  expect(againInMs).toBe(5_000)
})

test('a failure becomes the condition ReplicaFailure and goes away with it', () => {
  const failed = planStatus(replicaSet, [], { reason: 'FailedCreate', message: 'exceeded quota' }, NOW)
  expect(failed.status.conditions).toMatchObject([
    { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate' },
  ])
  expect(
    planStatus({ ...replicaSet, status: failed.status }, [], undefined, NOW).status.conditions,
  ).toBeUndefined()
})
