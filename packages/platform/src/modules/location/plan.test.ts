import { expect, test } from 'vitest'

import type { ClusterPlace, Location } from './model.ts'
import { chooseCluster, standingOf, type Wish } from './plan.ts'

const location = (slug: string): Location => ({
  id: `loc_${slug}`,
  slug,
  name: slug,
  isDefault: slug === 'lab',
  restricted: false,
  createdAt: new Date(0),
})
const cluster = (slug: string, at: string, isDefault = false): ClusterPlace => ({
  id: `clu_${slug}`,
  slug,
  isDefault,
  locationId: `loc_${at}`,
})
const locations = ['lab', 'east', 'west', 'empty'].map(location)
const clusters = [
  cluster('lab-1', 'lab'),
  cluster('east-2', 'east'),
  cluster('east-1', 'east'),
  cluster('west-1', 'west'),
  cluster('west-2', 'west', true),
]

const cases: readonly (readonly [what: string, wish: Wish, outcome: string])[] = [
  ['nothing named: the default Cluster', {}, 'west-2'],
  ['a Cluster by name', { cluster: 'lab-1' }, 'lab-1'],
  ['a Cluster by id', { cluster: 'clu_east-2' }, 'east-2'],
  ['a Location: its first Cluster by name', { location: 'east' }, 'east-1'],
  ['a Location with the default Cluster', { location: 'loc_west' }, 'west-2'],
  ['both, and they agree', { location: 'east', cluster: 'east-2' }, 'east-2'],
  ['both, and they do not', { location: 'east', cluster: 'lab-1' }, 'elsewhere'],
  ['no such Location', { location: 'north' }, 'location_unknown'],
  ['no such Cluster', { cluster: 'north-1' }, 'cluster_unknown'],
  ['a Location without a Cluster', { location: 'empty' }, 'location_empty'],
]
test.each(cases)('%s', (_, wish, outcome) => {
  const choice = chooseCluster(wish, clusters, locations)
  expect(choice.kind === 'chosen' ? choice.cluster.slug : choice.why).toBe(outcome)
})

test('without a default Cluster none is chosen unless one is named', () => {
  const others = clusters.filter(({ isDefault }) => !isDefault)
  expect(chooseCluster({}, others, locations)).toEqual({ kind: 'refused', why: 'cluster_unknown' })
})

const end = new Date('2026-03-01T00:00:00Z')
test.each([
  ['a grant before its end', 'Granted', end, '2026-02-28T23:59:59.999Z', 'Granted'],
  ['a grant from its end on', 'Granted', end, '2026-03-01T00:00:00.000Z', 'Ended'],
  ['a grant without an end', 'Granted', null, '2999-01-01T00:00:00.000Z', 'Granted'],
  ['a refusal', 'Refused', null, '2026-03-02T00:00:00.000Z', 'Refused'],
  ['a request', 'Requested', null, '2026-03-02T00:00:00.000Z', 'Requested'],
] as const)('%s', (_, state, until, now, standing) => {
  expect(standingOf({ state, until }, new Date(now))).toBe(standing)
})
