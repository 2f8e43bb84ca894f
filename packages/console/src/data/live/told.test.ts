import type { Change } from '@slipway/contract'
import { endpoints } from '@slipway/sdk'
import { expect, test } from 'vitest'

import { intervalMs, isMadeOf, isTouched, told } from './told.ts'

const release: Change = {
  type: 'release',
  id: 'rel_1',
  change: 'changed',
  organizationId: 'org_1',
  projectId: 'prj_1',
  applicationId: null,
  workloadId: 'wrk_1',
  version: 3,
}

test.each([
  ['the object itself', ['getRelease', { release: 'rel_1' }], true],
  ['another object of the kind', ['getRelease', { release: 'rel_2' }], false],
  ['a list that it is in', ['listReleases', { workload: 'wrk_1', limit: 100 }, 'pages'], true],
  ['a list that it is not in', ['listReleases', { workload: 'wrk_2', limit: 100 }, 'pages'], false],
  ['a list over everything', ['searchReleases', { limit: 8 }], true],
  ['a list narrowed to its project', ['searchReleases', { project: 'prj_1' }], true],
  ['a list narrowed to another project', ['searchReleases', { project: 'prj_2' }], false],
  ['what it does not say where it is of', ['listGates', { application: 'app_9' }], true],
  ['what is made of other things', ['listBuilds', { application: 'app_1' }], false],
  ['what can never change', ['getReleaseDiff', { release: 'rel_1' }], false],
  ['an operation of nobody', ['someday', {}], false],
] as const)('a change of a Release makes old, or does not: %s', (_, key, expected) => {
  expect(isTouched(key, release)).toBe(expected)
})

test('what has to be read again is named by types, or is everything', () => {
  expect(isMadeOf(['listInstances', {}], ['instances'])).toBe(true)
  expect(isMadeOf(['listBuilds', {}], ['instances'])).toBe(false)
  expect(isMadeOf(['listTokens', {}], null)).toBe(true)
})

test('nothing that is told of is asked for again and again; slowly while nothing is told', () => {
  expect(intervalMs('listReleases', 2_000, true)).toBe(false)
  expect(intervalMs('listReleases', 2_000, false)).toBe(15_000)
  expect(intervalMs('listInstances', 2_000, true)).toBe(15_000)
  expect(intervalMs('listTokens', 5_000, true)).toBe(5_000)
  expect(intervalMs('listReleases', false, false)).toBe(false)
})

test('every operation that reads says what changes its answer', () => {
  const reading = Object.entries(endpoints)
    .filter(([, { method, transport }]) => method === 'GET' && transport === 'json')
    .map(([name]) => name)
  expect(Object.keys(told).sort()).toEqual(reading.sort())
})
