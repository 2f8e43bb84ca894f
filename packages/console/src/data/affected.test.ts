import { expect, test } from 'vitest'

import { affectedBy } from './affected.ts'

test('a Release that changed affects lists of Releases, of Workloads and of what waits', () => {
  const types = new Set(['release'] as const)
  expect(['searchReleases', 'searchWorkloads', 'listGates'].every((name) => affectedBy(types, name))).toBe(
    true,
  )
})

test('it affects no list of Clusters, and nothing affects what is not named', () => {
  expect(affectedBy(new Set(['release'] as const), 'listClusters')).toBe(false)
  expect(affectedBy(new Set(['user'] as const), 'getVersion')).toBe(false)
})
