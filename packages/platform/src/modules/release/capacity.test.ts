import type { Live } from '@slipway/kube'
import { describe, expect, test } from 'vitest'

import { excludedText, judgeCapacity, needsText, type CapacityInput, type Need } from './capacity.ts'
import { settleBatches } from './batches.ts'
import type { PodSpec } from './fitting.ts'
import { plan, release } from './plan.helper.ts'
import { momentsOf, promisedNeeds } from './room.ts'
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
const own = { 'slipway/workload': 'wrk', 'slipway/version': 'new', 'slipway/process': 'web' }
const needed = (count: number, spec = web, labels: Record<string, string> = own): Need => ({
  process: 'web',
  count,
  pod: { namespace: 'shop', labels, spec },
})
const need = (count: number, spec = web): CapacityInput['moments'] => [
  { needs: [needed(count, spec)], gone: [] },
]
const judge = (change: Partial<CapacityInput>) =>
  judgeCapacity({
    nodes: [node('a'), node('b')],
    pods: [],
    promised: [],
    workloadId: 'wrk',
    moments: need(4),
    ...change,
  })
const short = (room: number, lacks: string, wanted = 4): unknown =>
  expect.objectContaining({ fits: false, process: 'web', wanted, room, lacks })

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
            needs: [needed(2)],
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
  const workload = { id: 'wrk', namespace: 'shop', instances: {} } as unknown as State['workload']
  const rollout = (hasRouter: boolean) => ({
    // What the moments look at.
    state: { workload, serving, retained: undefined } as unknown as State,
    workload,
    active,
    hasRouter,
    pods: new Map([['web', { metadata: { labels: own }, spec: web }]]),
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

describe('what was promised', () => {
  const promise = (change: Parameters<typeof release>[0], hasRouter = true) =>
    promisedNeeds(
      {
        workload: { id: 'wrk', namespace: 'shop', instances: {} } as unknown as State['workload'],
        active: release({
          batches: settleBatches(plan({ batches: [{ instances: 1 }] }), 4, true),
          ...change,
        }),
        hasRouter,
        pods: new Map([['web', { metadata: { labels: own }, spec: web }]]),
      },
      [pod(web, 'a', { hash: 'newnewne' })],
    ).map(({ count }) => count)

  test('is all of the new version that is not there yet', () => expect(promise({})).toEqual([3]))
  test('is the batch where the old version makes way', () => {
    expect(promise({ reserve: 'lowered' })).toEqual([0])
    expect(promise({ batch: 1 }, false)).toEqual([3])
  })
  test('is counted before what is measured', () =>
    expect(judge({ promised: [needed(3, web, {})], nodes: [node('a')], moments: need(2) })).toEqual(
      short(1, 'cpu', 2),
    ))
})

describe('a placement is read', () => {
  const zoned = (name: string, zone: string, labels: Record<string, string> = {}) =>
    node(name, { labels: { 'kubernetes.io/hostname': name, zone, ...labels } })
  const four = [
    zoned('a', '1', { disk: 'ssd' }),
    zoned('b', '1'),
    zoned('c', '2', { cores: '16' }),
    zoned('d', '2', { cores: 'many' }),
  ]
  const light = (more: object) => spec('10m', '1Mi', more)
  const term = (topologyKey: string, matchLabels: object, more: object = {}) => ({
    topologyKey,
    labelSelector: { matchLabels },
    ...more,
  })
  const required = 'requiredDuringSchedulingIgnoredDuringExecution'
  const on = (...matchExpressions: object[]) =>
    light({ affinity: { nodeAffinity: { [required]: { nodeSelectorTerms: [{ matchExpressions }] } } } })
  const apart = (one: object) => light({ affinity: { podAntiAffinity: { [required]: [one] } } })
  const together = (one: object) => light({ affinity: { podAffinity: { [required]: [one] } } })
  const spread = (topologyKey: string, more: object = {}) =>
    light({
      topologySpreadConstraints: [
        { ...term(topologyKey, own), maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule', ...more },
      ],
    })
  const neighbour = (nodeName: string, more: object = {}, namespace = 'shop') =>
    ({
      metadata: { name: 'api', namespace, labels: { 'slipway/workload': 'api' } },
      spec: { ...light(more), nodeName },
      status: { phase: 'Running' },
    }) as unknown as Live<'pods'>
  const host = 'kubernetes.io/hostname'
  const api = { 'slipway/workload': 'api' }
  /** How many of 9 find a place, and why no more do. */
  const told = (wanted: PodSpec, pods: Live<'pods'>[] = [], count = 9): string => {
    const verdict = judge({ nodes: four, pods, moments: need(count, wanted) })
    return verdict.fits ? 'fits' : `${verdict.room}: ${excludedText(verdict.excluded)}`
  }

  const cases: [what: string, said: string, expected: string][] = [
    [
      'labels that most nodes lack',
      told(on({ key: 'disk', operator: 'In', values: ['ssd'] }), [], 11),
      '10: label disk=ssd × 3; instances × 1',
    ],
    [
      'labels with another value',
      told(on({ key: 'zone', operator: 'NotIn', values: ['1', '2'] })),
      '0: rule zone not in 1, 2 × 4',
    ],
    [
      'a number that is too small, or none',
      told(on({ key: 'cores', operator: 'Gt', values: ['32'] })),
      '0: rule cores > 32 × 4',
    ],
    ['a number that is large enough', told(on({ key: 'cores', operator: 'Gt', values: ['8'] })), 'fits'],
    [
      'a label that must not be there',
      told(on({ key: 'zone', operator: 'DoesNotExist' })),
      '0: rule no zone × 4',
    ],
    ['never two on one host', told(apart(term(host, own))), '4: apart wrk × 4'],
    [
      'never beside another Workload',
      told(apart(term('zone', api)), [neighbour('a'), neighbour('c')]),
      '0: apart api × 4',
    ],
    [
      'only those of the namespace that is meant',
      told(apart(term('zone', api, { namespaces: ['live'] })), [neighbour('a'), neighbour('c')]),
      'fits',
    ],
    [
      'a neighbour that wants to be alone',
      told(
        light({}),
        four.map(({ metadata }) =>
          neighbour(metadata.name, { affinity: { podAntiAffinity: { [required]: [term(host, own)] } } }),
        ),
      ),
      '0: repelled × 4',
    ],
    ['company that is nowhere', told(together(term(host, api))), '0: together api × 4'],
    ['company that is somewhere', told(together(term('zone', api)), [neighbour('a')]), 'fits'],
    ['its own company, which begins anywhere', told(together(term(host, own))), 'fits'],
    ['an even spread', told(spread('zone'), [], 40), 'fits'],
    [
      'a spread over what no node has',
      told(spread('topology.kubernetes.io/zone')),
      '0: spread topology.kubernetes.io/zone × 4',
    ],
    [
      'a spread that is only wished for',
      told(spread('rack', { whenUnsatisfiable: 'ScheduleAnyway' })),
      'fits',
    ],
  ]
  test.each(cases)('%s', (_, said, expected) => expect(said).toBe(expected))

  test('an uneven spread ends where one domain is full', () => {
    const full = neighbour('c')
    const nodes = [zoned('a', '1'), zoned('c', '2')]
    const verdict = judge({
      nodes,
      pods: Array.from({ length: 9 }, () => full),
      moments: need(4, spread('zone')),
    })
    expect(verdict).toMatchObject({
      room: 3,
      excluded: [
        { why: 'spread', what: 'zone', count: 1 },
        { why: 'instances', count: 1 },
      ],
    })
  })
})

test('needs are told in words', () => {
  expect(needsText([needed(4), { ...needed(0), process: 'worker' }])).toBe('4 × web (0.5 CPU, 256 MiB)')
})
