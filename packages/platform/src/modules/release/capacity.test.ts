import type { Live } from '@slipway/kube'
import { describe, expect, test } from 'vitest'

import { judgeCapacity, needsText, type CapacityInput, type PodSpec } from './capacity.ts'
import { settleBatches } from './batches.ts'
import { plan, release } from './plan.helper.ts'
import { momentsOf } from './room.ts'
import type { State } from './state.ts'

type Node = Live<'nodes'>
const node = (
  name: string,
  change: { labels?: Record<string, string>; spec?: Node['spec']; ready?: boolean } = {},
) =>
  ({
    metadata: { name, labels: change.labels ?? {} },
    spec: change.spec ?? {},
    status: {
      allocatable: { cpu: '2', memory: '1Gi', pods: '10' },
      conditions: [{ type: 'Ready', status: change.ready === false ? 'False' : 'True' }],
    },
  }) as unknown as Node
const spec = (cpu: string, memory: string, more: object = {}) =>
  ({ containers: [{ name: 'web', resources: { requests: { cpu, memory } } }], ...more }) as unknown as PodSpec
const pod = (own: PodSpec, nodeName: string | undefined, about: { hash?: string; phase?: string } = {}) =>
  ({
    metadata: {
      name: 'one',
      labels:
        about.hash === undefined
          ? {}
          : { 'slipway/workload': 'wrk', 'slipway/version': about.hash, 'slipway/process': 'web' },
    },
    spec: { ...own, nodeName },
    status: { phase: about.phase ?? 'Running' },
  }) as unknown as Live<'pods'>

const web = spec('500m', '256Mi')
const need = (count: number, own = web): CapacityInput['moments'] => [
  { needs: [{ process: 'web', count, spec: own }], gone: [] },
]
const judge = (change: Partial<CapacityInput>) =>
  judgeCapacity({ nodes: [node('a'), node('b')], pods: [], workloadId: 'wrk', moments: need(4), ...change })
const short = (room: number, lacks: string, wanted = 4) => ({
  fits: false,
  process: 'web',
  wanted,
  room,
  lacks,
})

describe('a rollout that needs 4 Instances', () => {
  const cases: [what: string, change: Partial<CapacityInput>, expected: unknown][] = [
    ['fits on two free nodes', {}, { fits: true }],
    ['fits exactly', { moments: need(8) }, { fits: true }],
    ['does not fit by one', { moments: need(9) }, short(8, 'cpu', 9)],
    ['lacks memory where that ends first', { moments: need(4, spec('10m', '600Mi')) }, short(2, 'memory')],
    [
      'does not see the sum of two halves as a whole',
      { moments: need(4, spec('1500m', '1Mi')) },
      short(2, 'cpu'),
    ],
    ['counts what runs', { pods: [pod(spec('1500m', '1Mi'), 'a')], nodes: [node('a')] }, short(1, 'cpu')],
    [
      'does not count what has ended',
      { pods: [pod(spec('2', '1Gi'), 'a', { phase: 'Succeeded' })] },
      { fits: true },
    ],
    [
      'lets what waits for a node go first',
      { pods: [pod(spec('2', '1Mi'), undefined)], nodes: [node('a')] },
      short(0, 'cpu'),
    ],
    ['is not held up by what no node takes', { pods: [pod(spec('64', '1Mi'), undefined)] }, { fits: true }],
    [
      'passes over cordoned nodes and those that are not ready',
      {
        nodes: [node('a', { spec: { unschedulable: true } }), node('b', { ready: false })],
      },
      short(0, 'nodes'),
    ],
    [
      'passes over a taint',
      { nodes: [node('a', { spec: { taints: [{ key: 'x', effect: 'NoSchedule' }] } })] },
      short(0, 'nodes'),
    ],
    [
      'goes where a taint is tolerated',
      {
        nodes: [node('a', { spec: { taints: [{ key: 'x', effect: 'NoSchedule' }] } })],
        moments: need(4, spec('1m', '1Mi', { tolerations: [{ key: 'x', operator: 'Exists' }] })),
      },
      { fits: true },
    ],
    [
      'goes only to nodes with the labels asked for',
      {
        moments: need(5, spec('500m', '1Mi', { nodeSelector: { pool: 'x' } })),
        nodes: [node('a', { labels: { pool: 'x' } }), node('b')],
      },
      short(4, 'cpu', 5),
    ],
    [
      'lacks places for Instances',
      { nodes: [node('a')], moments: need(11, spec('1m', '1Mi')) },
      short(10, 'instances', 11),
    ],
    [
      'takes the place of what goes first',
      {
        nodes: [node('a')],
        pods: Array.from({ length: 4 }, () => pod(web, 'a', { hash: 'old' })),
        moments: [
          {
            needs: [{ process: 'web', count: 2, spec: web }],
            gone: [{ hash: 'old', process: 'web', count: 2 }],
          },
        ],
      },
      { fits: true },
    ],
  ]
  test.each(cases)('%s', (_, change, expected) => expect(judge(change)).toEqual(expected))
})

describe('the moments of a rollout', () => {
  const active = release({
    plan: plan({ batches: [{ instances: 1 }, { percent: 50 }] }),
    batches: settleBatches(plan({ batches: [{ instances: 1 }, { percent: 50 }] }), 4, true),
  })
  const serving = release({ id: 'rel_old', hash: 'oldoldol' })
  const rollout = (hasRouter: boolean) => ({
    // What the moments look at.
    state: { workload: { id: 'wrk', instances: {} }, serving, retained: undefined } as unknown as State,
    active,
    hasRouter,
    specs: new Map([['web', web]]),
  })
  const counts = (hasRouter: boolean, reserve: 'full' | 'lowered', pods: Live<'pods'>[] = []) =>
    momentsOf(rollout(hasRouter), pods, reserve).map(({ needs, gone }) => [
      needs[0]?.count,
      gone[0]?.count ?? 0,
    ])

  test('with the old version whole there is one: all of the new version', () =>
    expect(counts(true, 'full')).toEqual([[4, 0]]))
  test('where the old version makes way, it has made way by as much as the batch before took over', () =>
    expect(counts(true, 'lowered')).toEqual([
      [1, 0],
      [2, 1],
      [4, 2],
    ]))
  test('without a route it always makes way', () =>
    expect(counts(false, 'full')).toEqual(counts(false, 'lowered')))
  test('what of the new version is there already needs no room', () =>
    expect(counts(true, 'full', [pod(web, 'a', { hash: 'newnewne' })])).toEqual([[3, 0]]))
})

test('needs are told in words', () => {
  expect(
    needsText([
      { process: 'web', count: 4, spec: web },
      { process: 'worker', count: 0, spec: web },
    ]),
  ).toBe('4 × web (0.5 CPU, 256 MiB)')
})
