import { expect, test } from 'vitest'

import type { Pod } from '../pods.ts'
import { completedIndexes, indexText } from './indexes.ts'
import { type Job, planJob, TRACKING_FINALIZER } from './plan.ts'

const NOW = new Date('2026-01-01T00:10:00Z')

function job(spec: object, status?: object): Job {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: 'import',
      namespace: 'shop',
      uid: 'j',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: {
      completions: 1,
      parallelism: 1,
      backoffLimit: 1,
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a' }] } },
      ...spec,
    },
    ...(status ? { status } : {}),
  }
}

type Shape = {
  readonly tracked?: boolean
  readonly endedAt?: string
  readonly index?: number
  readonly going?: boolean
}

function pod(name: string, phase: string, { tracked = true, endedAt, index, going }: Shape = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'shop',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...(tracked ? { finalizers: [TRACKING_FINALIZER] } : {}),
      ...(index === undefined
        ? {}
        : { annotations: { 'batch.kubernetes.io/job-completion-index': String(index) } }),
      ...(going ? { deletionTimestamp: '2026-01-01T00:09:00Z' } : {}),
    },
    spec: { nodeName: 'n', containers: [{ name: 'a' }] },
    status: {
      phase,
      containerStatuses: [
        {
          name: 'a',
          image: '',
          imageID: '',
          ready: false,
          restartCount: 0,
          ...(endedAt === undefined ? {} : { state: { terminated: { exitCode: 1, finishedAt: endedAt } } }),
        },
      ],
    },
  }
}

const conditionsOf = (plan: ReturnType<typeof planJob>) =>
  plan.status.conditions?.map(({ type, reason }) => `${type}/${reason}`)

test('a new Job starts as many pods as may run side by side', () => {
  const plan = planJob(job({ completions: 5, parallelism: 3 }), [], NOW)
  expect(plan.create).toHaveLength(3)
  expect(plan.status.startTime).toBe('2026-01-01T00:10:00Z')
})

test('a finished pod is listed first, released then, and counted last: exactly once', () => {
  const first = planJob(job({ completions: 2 }), [pod('a', 'Succeeded')], NOW)
  expect(first.status).toMatchObject({ uncountedTerminatedPods: { succeeded: ['a'] } })
  expect(first.status.succeeded).toBeUndefined()
  expect(first.untrack.map(({ metadata }) => metadata.name)).toEqual(['a'])

  const listed = job({ completions: 2 }, first.status)
  const released = planJob(listed, [pod('a', 'Succeeded', { tracked: false })], NOW)
  expect(released.status).toMatchObject({ succeeded: 1, uncountedTerminatedPods: {} })
  const gone = planJob(listed, [], NOW)
  expect(gone.status).toMatchObject({ succeeded: 1, uncountedTerminatedPods: {} })
  const again = planJob(
    job({ completions: 2 }, gone.status),
    [pod('a', 'Succeeded', { tracked: false })],
    NOW,
  )
  expect(again.status.succeeded).toBe(1)
})

test('a complete Job first says that its goal is met, and is over when all pods have ended', () => {
  const counted = { succeeded: 1, startTime: '2026-01-01T00:00:00Z' }
  const waiting = planJob(job({}, counted), [pod('b', 'Running', { going: true })], NOW)
  expect(conditionsOf(waiting)).toEqual(['SuccessCriteriaMet/CompletionsReached'])
  const over = planJob(job({}, counted), [], NOW)
  expect(conditionsOf(over)).toEqual(['SuccessCriteriaMet/CompletionsReached', 'Complete/CompletionsReached'])
  expect(over.status.completionTime).toBe('2026-01-01T00:10:00Z')
})

test('after a failure the next pod waits 10 s, twice as long after the second', () => {
  const one = planJob(
    job({ backoffLimit: 3 }, { failed: 1 }),
    [pod('a', 'Failed', { tracked: false, endedAt: '2026-01-01T00:09:58Z' })],
    NOW,
  )
  expect([one.create.length, one.againInMs]).toEqual([0, 8_000])
  const two = planJob(
    job({ backoffLimit: 3 }, { failed: 2 }),
    ['a', 'b'].map((name) => pod(name, 'Failed', { tracked: false, endedAt: '2026-01-01T00:09:58Z' })),
    NOW,
  )
  expect(two.againInMs).toBe(18_000)
  const later = planJob(
    job({ backoffLimit: 3 }, { failed: 1 }),
    [pod('a', 'Failed', { tracked: false, endedAt: '2026-01-01T00:09:00Z' })],
    NOW,
  )
  expect(later.create).toHaveLength(1)
})

test('a Job that failed too often is failed, and its other pods are ended first', () => {
  const failing = planJob(job({ parallelism: 2, completions: 2 }, { failed: 2 }), [pod('b', 'Running')], NOW)
  expect(conditionsOf(failing)).toEqual(['FailureTarget/BackoffLimitExceeded'])
  expect(failing.remove.map(({ metadata }) => metadata.name)).toEqual(['b'])
  const failed = planJob(job({ parallelism: 2, completions: 2 }, { ...failing.status, failed: 2 }), [], NOW)
  expect(conditionsOf(failed)).toEqual(['FailureTarget/BackoffLimitExceeded', 'Failed/BackoffLimitExceeded'])
})

test('a Job over its deadline is failed with that reason; before, it says when to look again', () => {
  const status = { startTime: '2026-01-01T00:00:00Z' }
  expect(
    conditionsOf(planJob(job({ activeDeadlineSeconds: 600 }, status), [pod('a', 'Running')], NOW)),
  ).toEqual(['FailureTarget/DeadlineExceeded'])
  expect(planJob(job({ activeDeadlineSeconds: 660 }, status), [pod('a', 'Running')], NOW).againInMs).toBe(
    60_000,
  )
})

test('a finished Job is never run again', () => {
  const condition = { type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded' }
  const plan = planJob(job({}, { conditions: [condition], failed: 2 }), [], NOW)
  expect([plan.create, plan.remove, plan.finished]).toEqual([[], [], undefined])
})

test('a suspended Job ends its pods and starts none', () => {
  const plan = planJob(job({ suspend: true }), [pod('a', 'Running')], NOW)
  expect(plan.remove).toHaveLength(1)
  expect(conditionsOf(plan)).toEqual(['Suspended/JobSuspended'])
})

const policies: [
  when: string,
  action: string,
  values: readonly number[],
  expected: (string | number | undefined)[],
][] = [
  ['fails the Job at once', 'FailJob', [1], ['FailureTarget/PodFailurePolicy', 'a', 1]],
  ['overlooks the pod', 'Ignore', [1], [undefined, undefined, 1]],
  ['does not concern this exit code', 'FailJob', [42], [undefined, 'a', 1]],
]
test.each(policies)('a podFailurePolicy %s', (_, action, values, expected) => {
  const policy = { rules: [{ action, onExitCodes: { operator: 'In', values } }] }
  const failed = pod('a', 'Failed', { endedAt: '2026-01-01T00:09:58Z' })
  const plan = planJob(job({ backoffLimit: 3, podFailurePolicy: policy }), [failed], NOW)
  expect([
    conditionsOf(plan)?.[0],
    plan.status.uncountedTerminatedPods?.failed?.[0],
    plan.untrack.length,
  ]).toEqual(expected)
})

test('an Indexed Job makes the lowest missing indexes and keeps the complete ones as ranges', () => {
  const indexed = job(
    { completionMode: 'Indexed', completions: 6, parallelism: 3 },
    { completedIndexes: '0,2-3' },
  )
  const plan = planJob(indexed, [pod('a', 'Running', { index: 1 })], NOW)
  expect(plan.create.map(({ index }) => index)).toEqual([4, 5])
  expect(indexText(new Set([3, 0, 2, 7]))).toBe('0,2-3,7')
  expect(completedIndexes(indexed)).toEqual([0, 2, 3])
})
