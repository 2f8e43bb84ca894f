import { expect, test } from 'vitest'

import { newVersionCount, oldVersionCounts, proportionalCounts, rolloutLimits } from './counts.ts'
import { planDeployment } from './plan.ts'
import { type Deployment, type ReplicaSet, templateHash } from './template.ts'

const NOW = new Date('2026-01-01T00:00:00Z')

type Shape = {
  readonly replicas?: number
  readonly surge?: number | string
  readonly unavailable?: number | string
  readonly image?: string
  readonly more?: object
  readonly status?: object
  readonly annotations?: Record<string, string>
}

function deployment({
  replicas = 4,
  surge = '25%',
  unavailable = '25%',
  image = 'v2',
  more,
  status,
  annotations,
}: Shape = {}): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      namespace: 'shop',
      uid: 'd',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      generation: 1,
      ...(annotations ? { annotations } : {}),
    },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } },
      template: template(image),
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 2,
      ...more,
    },
    ...(status ? { status } : {}),
  }
}

const template = (image: string) => ({
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'web', image }] },
})

type Version = {
  readonly image: string
  readonly replicas: number
  readonly available?: number
  readonly revision?: number
  readonly desired?: number
  readonly max?: number
}

function replicaSet({
  image,
  replicas,
  available = replicas,
  revision = 1,
  desired = 4,
  max = 5,
}: Version): ReplicaSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `web-${image}`,
      namespace: 'shop',
      uid: image,
      resourceVersion: '1',
      creationTimestamp: `2026-01-01T00:00:0${revision}Z`,
      generation: 1,
      annotations: {
        'deployment.kubernetes.io/revision': String(revision),
        'deployment.kubernetes.io/desired-replicas': String(desired),
        'deployment.kubernetes.io/max-replicas': String(max),
      },
    },
    spec: { replicas, selector: { matchLabels: { app: 'web' } }, template: template(image) },
    status: { replicas, availableReplicas: available, readyReplicas: available, observedGeneration: 1 },
  }
}

const plan = (wanted: Deployment, versions: readonly ReplicaSet[], now = NOW) =>
  planDeployment({
    deployment: wanted,
    replicaSets: versions,
    unfinishedPods: (one) => one.status?.replicas ?? 0,
    now,
  })
const countsOf = (updates: ReturnType<typeof plan>['update']) =>
  Object.fromEntries(updates.map((one) => [one.metadata?.name, one.spec?.replicas]))

const limits: [when: string, shape: Shape, maxSurge: number, maxUnavailable: number][] = [
  ['25 % of 4', { replicas: 4 }, 1, 1],
  ['surge rounds up, unavailability down', { replicas: 5 }, 2, 1],
  ['25 % of 1: one more, none missing', { replicas: 1 }, 1, 0],
  ['both nothing: one may be missing', { replicas: 3, surge: 0, unavailable: 0 }, 0, 1],
  [
    'percentages that round to nothing: one may be missing',
    { replicas: 1, surge: '0%', unavailable: '50%' },
    0,
    1,
  ],
  ['numbers stay as they are', { replicas: 2, surge: 3, unavailable: 0 }, 3, 0],
]
test.each(limits)('limits of a rollout, %s', (_, shape, maxSurge, maxUnavailable) =>
  expect(rolloutLimits(deployment(shape))).toEqual({ maxSurge, maxUnavailable }),
)

const growth: [when: string, shape: Shape, present: number, total: number, next: number][] = [
  ['grows by the surge', {}, 0, 4, 1],
  ['waits while the surge is used up', {}, 1, 5, 1],
  ['grows into what the old ones left', {}, 1, 3, 3],
  ['never beyond the wish', { surge: '100%' }, 3, 4, 4],
  ['shrinks to the wish', {}, 6, 6, 4],
]
test.each(growth)('the new version %s', (_, shape, present, total, next) =>
  expect(newVersionCount(deployment(shape), present, total)).toBe(next),
)

const shrinking: [when: string, fresh: Version, old: readonly Version[], expected: Record<string, number>][] =
  [
    [
      'one pod less while one may be missing',
      { image: 'v2', replicas: 1, available: 0 },
      [{ image: 'v1', replicas: 4 }],
      { v1: 3 },
    ],
    [
      'none while the new one is not available',
      { image: 'v2', replicas: 2, available: 0 },
      [{ image: 'v1', replicas: 3 }],
      {},
    ],
    [
      'unhealthy ones first, whatever their version',
      { image: 'v2', replicas: 1, available: 1 },
      [
        { image: 'v0', replicas: 2, available: 2, revision: 1 },
        { image: 'v1', replicas: 2, available: 1, revision: 2 },
      ],
      { v1: 1, v0: 1 },
    ],
    [
      'all when the new one carries everything',
      { image: 'v2', replicas: 4, available: 4 },
      [{ image: 'v1', replicas: 1 }],
      { v1: 0 },
    ],
  ]
test.each(shrinking)('old versions shrink: %s', (_, fresh, old, expected) =>
  expect(Object.fromEntries(oldVersionCounts(deployment(), replicaSet(fresh), old.map(replicaSet)))).toEqual(
    expected,
  ),
)

test('a change of the wish in the middle of a rollout keeps the shares of the versions', () => {
  const versions = [
    replicaSet({ image: 'v1', replicas: 8, desired: 10, max: 13 }),
    replicaSet({ image: 'v2', replicas: 5, desired: 10, max: 13 }),
  ]
  const counts = proportionalCounts(deployment({ replicas: 20 }), versions)
  expect(Object.fromEntries(counts)).toEqual({ v1: 15, v2: 10 })
})

test('the first pass makes the first version', () => {
  const first = plan(deployment(), [])
  expect(first.create?.spec?.replicas).toBe(4)
  expect(first.create?.metadata?.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{1,10}$/)
  expect(first.revision).toBe(1)
  expect(first.events.map(({ message }) => message)).toEqual([
    `Scaled up replica set ${first.create?.metadata?.name} from 0 to 4`,
  ])
  expect(first.status.conditions?.map(({ type, status, reason }) => [type, status, reason])).toEqual([
    ['Progressing', 'True', 'NewReplicaSetCreated'],
    ['Available', 'False', 'MinimumReplicasUnavailable'],
  ])
})

test('the hash of a template does not depend on the order of its keys', () => {
  const one = {
    metadata: { labels: { a: '1', b: '2' } },
    spec: { containers: [{ name: 'web', image: 'v1' }] },
  }
  const other = {
    spec: { containers: [{ image: 'v1', name: 'web' }] },
    metadata: { labels: { b: '2', a: '1' } },
  }
  expect(templateHash(one, undefined)).toBe(templateHash(other, undefined))
  expect(templateHash(one, 1)).not.toBe(templateHash(one, undefined))
})

test('a return to an earlier template uses its ReplicaSet again under a new revision', () => {
  const versions = [
    replicaSet({ image: 'v1', replicas: 0, revision: 1 }),
    replicaSet({ image: 'v2', replicas: 4, revision: 2 }),
  ]
  const back = plan(deployment({ image: 'v1' }), versions)
  expect(back.create).toBeUndefined()
  expect(back.revision).toBe(3)
  const update = back.update.find((one) => one.metadata?.name === 'web-v1')
  expect(update?.spec?.replicas).toBe(1)
  expect(update?.metadata?.annotations).toMatchObject({
    'deployment.kubernetes.io/revision': '3',
    'deployment.kubernetes.io/revision-history': '1',
  })
})

test('a paused Deployment makes no new version but follows its wish', () => {
  const paused = plan(deployment({ replicas: 6, more: { paused: true } }), [
    replicaSet({ image: 'v1', replicas: 4 }),
  ])
  expect(paused.create).toBeUndefined()
  expect(countsOf(paused.update)).toEqual({ 'web-v1': 6 })
  expect(paused.status.conditions?.[0]).toMatchObject({
    type: 'Progressing',
    status: 'Unknown',
    reason: 'DeploymentPaused',
  })
})

test('Recreate ends every old pod before the first new one', () => {
  const recreate = deployment({ more: { strategy: { type: 'Recreate' } } })
  const running = replicaSet({ image: 'v1', replicas: 4 })
  expect(countsOf(plan(recreate, [running]).update)).toEqual({ 'web-v1': 0 })
  const ending = { ...running, spec: { ...running.spec!, replicas: 0 } }
  expect(plan(recreate, [ending]).create).toBeUndefined()
  const ended = { ...ending, status: { ...ending.status!, replicas: 0 } }
  expect(plan(recreate, [ended]).create?.spec?.replicas).toBe(4)
})

test('a rollout that makes no progress is given up at its deadline and told when to look again', () => {
  const since = {
    type: 'Progressing',
    status: 'True',
    reason: 'ReplicaSetUpdated',
    lastUpdateTime: '2026-01-01T00:00:00Z',
  }
  const status = {
    replicas: 4,
    updatedReplicas: 1,
    availableReplicas: 3,
    readyReplicas: 3,
    observedGeneration: 1,
    conditions: [since],
  }
  const versions = [
    replicaSet({ image: 'v1', replicas: 3, revision: 1 }),
    replicaSet({ image: 'v2', replicas: 1, available: 0, revision: 2 }),
  ]
  const early = plan(deployment({ status }), versions, new Date('2026-01-01T00:09:59Z'))
  expect(early.againInMs).toBeLessThanOrEqual(1_010)
  const late = plan(deployment({ status }), versions, new Date('2026-01-01T00:10:00Z'))
  expect(late.status.conditions?.find(({ type }) => type === 'Progressing')).toMatchObject({
    status: 'False',
    reason: 'ProgressDeadlineExceeded',
    message: 'ReplicaSet "web-v2" has timed out progressing.',
  })
})

test('old versions beyond the history limit go when the rollout is over', () => {
  const status = {
    replicas: 4,
    updatedReplicas: 4,
    availableReplicas: 4,
    readyReplicas: 4,
    observedGeneration: 1,
  }
  const old = [1, 2, 3, 4].map((revision) => replicaSet({ image: `o${revision}`, replicas: 0, revision }))
  const over = plan(deployment({ status }), [...old, replicaSet({ image: 'v2', replicas: 4, revision: 5 })])
  expect(over.remove.map(({ metadata }) => metadata.name)).toEqual(['web-o1', 'web-o2'])
})
