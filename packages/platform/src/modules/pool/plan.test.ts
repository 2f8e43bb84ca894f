import { describe, expect, test } from 'vitest'

import type { NodeSight, Rent } from './model.ts'
import { choosePool, labelCounts, planPools, problemOf, rentStateOf, type PoolWish } from './plan.ts'

const KEY = 'slipway/pool'
const pool = (slug: string, part: Partial<PoolWish> = {}): PoolWish => ({
  id: `pol_${slug}`,
  slug,
  selector: null,
  nodes: [],
  deleting: false,
  closed: false,
  ...part,
})
const node = (name: string, part: Partial<NodeSight> = {}): NodeSight => ({
  name,
  resourceVersion: '1',
  labels: {},
  marked: undefined,
  taints: [],
  facts: {},
  ...part,
})
const settled = (name: string, slug: string, part: Partial<NodeSight> = {}): NodeSight =>
  node(name, { labels: { [KEY]: slug }, marked: slug, ...part })
const taint = (slug: string) => ({ key: KEY, value: slug, effect: 'NoSchedule' })
const other = { key: 'dedicated', value: 'db', effect: 'NoExecute' }

describe('what is written on a node', () => {
  const cases: readonly (readonly [
    what: string,
    pools: readonly PoolWish[],
    node: NodeSight,
    change: unknown,
  ])[] = [
    ['nothing on one that belongs to nobody', [pool('a', { nodes: ['n2'] })], node('n1'), undefined],
    [
      'label and mark on one that is named',
      [pool('a', { nodes: ['n1'] })],
      node('n1'),
      { labels: { [KEY]: 'a' }, mark: 'a', taints: undefined },
    ],
    [
      'the taint as well when the Pool is closed, beside those of others',
      [pool('a', { nodes: ['n1'], closed: true })],
      node('n1', { taints: [other] }),
      { labels: { [KEY]: 'a' }, mark: 'a', taints: [other, taint('a')] },
    ],
    ['nothing on one that is settled', [pool('a', { nodes: ['n1'] })], settled('n1', 'a'), undefined],
    [
      'nothing on one that is settled and closed',
      [pool('a', { nodes: ['n1'], closed: true })],
      settled('n1', 'a', { taints: [taint('a')] }),
      undefined,
    ],
    [
      'the taint is taken off when the Pool is open again, the label stays',
      [pool('a', { nodes: ['n1'] })],
      settled('n1', 'a', { taints: [taint('a'), other] }),
      { labels: {}, mark: undefined, taints: [other] },
    ],
    [
      'everything of ours is taken off one that was taken out',
      [pool('a')],
      settled('n1', 'a', { taints: [taint('a')] }),
      { labels: { [KEY]: null }, mark: null, taints: [] },
    ],
    [
      'and off those of a Pool that is deleted',
      [pool('a', { nodes: ['n1'], deleting: true })],
      settled('n1', 'a'),
      { labels: { [KEY]: null }, mark: null, taints: undefined },
    ],
    [
      'one that moved to another Pool gets its label and its taint',
      [pool('a'), pool('b', { nodes: ['n1'], closed: true })],
      settled('n1', 'a', { taints: [taint('a')] }),
      { labels: { [KEY]: 'b' }, mark: 'b', taints: [taint('b')] },
    ],
    [
      'a node that brought the label of a Pool gets our mark',
      [pool('a')],
      node('n1', { labels: { [KEY]: 'a' } }),
      { labels: {}, mark: 'a', taints: undefined },
    ],
    [
      'a label of a Pool that there is not is left to whoever wrote it',
      [pool('a')],
      node('n1', { labels: { [KEY]: 'z' }, taints: [taint('z')] }),
      undefined,
    ],
    [
      'a taint of ours with another effect is put right',
      [pool('a', { nodes: ['n1'], closed: true })],
      settled('n1', 'a', { taints: [{ ...taint('a'), effect: 'NoExecute' }] }),
      { labels: {}, mark: undefined, taints: [taint('a')] },
    ],
    [
      'what its status tells',
      [],
      node('n1', {
        labels: { 'slipway/kernel': '5.4' },
        facts: { 'slipway/kernel': '6.1', 'slipway/cpu-cores': '8' },
      }),
      { labels: { 'slipway/kernel': '6.1', 'slipway/cpu-cores': '8' }, mark: undefined, taints: undefined },
    ],
  ]
  test.each(cases)('%s', (_, pools, one, change) => {
    const [found] = planPools(pools, [one]).changes
    const { name: _name, resourceVersion: _version, ...rest } = found ?? { name: '', resourceVersion: '' }
    expect(found === undefined ? undefined : rest).toEqual(change)
  })
})

test('a second look at what was written finds nothing to do', () => {
  const pools = [pool('a', { nodes: ['n1'], closed: true }), pool('b', { selector: { zone: 'b' } })]
  const before = [
    node('n1', { taints: [other] }),
    node('n2', { labels: { zone: 'b' }, facts: { 'slipway/kernel': '6.1' } }),
  ]
  const first = planPools(pools, before)
  expect(first.changes).toHaveLength(2)
  const after = before.map((one): NodeSight => {
    const change = first.changes.find(({ name }) => name === one.name)
    const labels = Object.entries({ ...one.labels, ...change?.labels }).flatMap(([name, value]) =>
      value === null ? [] : [[name, value] as const],
    )
    return {
      ...one,
      labels: Object.fromEntries(labels),
      marked: change?.mark ?? undefined,
      taints: change?.taints ?? one.taints,
    }
  })
  expect(planPools(pools, after).changes).toEqual([])
})

test('a node belongs to the Pool that names it, then to the one whose label it brought, then to the oldest that its labels fit', () => {
  const zone = { selector: { zone: 'a' } }
  const pools = [pool('old', zone), pool('young', zone), pool('named', { nodes: ['n1', 'gone'] })]
  const nodes = [
    node('n1', { labels: { zone: 'a' } }),
    node('n2', { labels: { zone: 'a', [KEY]: 'young' } }),
    node('n3', { labels: { zone: 'a' } }),
    node('n4', { labels: { zone: 'b' } }),
  ]
  const plan = planPools(pools, nodes)
  const names = (slug: string): readonly string[] =>
    (plan.members.get(`pol_${slug}`) ?? []).map(({ name, by }) => `${name} ${by}`)
  expect(names('named')).toEqual(['n1 name'])
  expect(names('young')).toEqual(['n2 name'])
  expect(names('old')).toEqual(['n3 labels'])
  expect(plan.adopted.get('pol_young')).toEqual(['n2'])
  expect(problemOf(plan, 'pol_named')).toEqual({
    code: 'pool_nodes_missing',
    params: { count: 1, nodes: 'gone' },
  })
  expect(problemOf(plan, 'pol_old')).toEqual({
    code: 'pool_nodes_contested',
    params: { count: 2, nodes: 'n1, n2' },
  })
})

const now = new Date('2026-03-01T00:00:00Z')
const rent = (part: Partial<Rent>): Rent => ({
  id: 'rnt_1',
  poolId: 'pol_a',
  clusterId: 'clu_1',
  organizationId: 'org_1',
  projectId: 'prj_1',
  isDefault: false,
  comment: '',
  rentedBy: 'usr_1',
  from: new Date(0),
  until: new Date('2026-06-01T00:00:00Z'),
  endedAt: null,
  ...part,
})

test.each([
  ['2026-06-01T00:00:00Z', null, 'Active'],
  ['2026-03-08T00:00:00.001Z', null, 'Active'],
  ['2026-03-08T08:00:00+08:00', null, 'Ending'],
  ['2026-03-01T00:00:00.001Z', null, 'Ending'],
  ['2026-03-01T00:00:00Z', null, 'Ended'],
  ['2026-06-01T00:00:00Z', '2026-02-01T00:00:00Z', 'Ended'],
])('a rent until %s that was ended at %s is %s', (until, endedAt, state) => {
  const ended = endedAt === null ? null : new Date(endedAt)
  expect(rentStateOf({ until: new Date(until), endedAt: ended }, now)).toBe(state)
})

describe('where a Workload runs', () => {
  const pools = [pool('a'), pool('b'), pool('c', { deleting: true })]
  const mine = rent({})
  const standard = rent({ isDefault: true })
  const theirs = rent({ projectId: 'prj_2' })
  const cases: readonly (readonly [
    what: string,
    wanted: string | undefined,
    rents: readonly Rent[],
    outcome: string | undefined,
  ])[] = [
    ['anywhere when nothing is said', undefined, [mine], undefined],
    ['in the default of its Project', undefined, [standard], 'a'],
    [
      'not in the default of another Project',
      undefined,
      [rent({ projectId: 'prj_2', isDefault: true })],
      undefined,
    ],
    ['in the Pool that it names', 'b', [standard], 'b'],
    ['in the one that its Project rents', 'a', [mine], 'a'],
    ['not in one that is rented to another', 'a', [theirs], 'elsewhere'],
    ['not in one that is not there', 'z', [], 'unknown'],
    ['not in one that is deleted', 'c', [], 'unknown'],
  ]
  test.each(cases)('%s', (_, wanted, rents, outcome) => {
    const choice = choosePool(wanted, 'prj_1', { pools, rents })
    expect(choice.kind === 'chosen' ? choice.pool : choice.kind).toBe(outcome)
  })
})

test('labels are counted by value, the most frequent first, and the name of the node is none', () => {
  const nodes = ['a', 'b', 'b'].map((zone, index) =>
    node(`n${index}`, { labels: { zone, 'kubernetes.io/hostname': `n${index}` } }),
  )
  expect(labelCounts(nodes)).toEqual([
    {
      label: 'zone',
      values: [
        { value: 'b', nodes: 2 },
        { value: 'a', nodes: 1 },
      ],
    },
  ])
})
