import type { Organization } from '@slipway/contract'
import { expect, test } from 'vitest'

import { branchesOf } from './tree.ts'

const one = (id: string, name: string, parentId: string | null = null): Organization => ({
  id,
  name,
  parentId,
  slug: name.toLowerCase(),
  createdAt: '2026-01-31T08:00:00Z',
})
const compare = (a: string, b: string): number => a.localeCompare(b)

test('each Organization stands below its parent, siblings by name', () => {
  const list = [
    one('c', 'Ship', 'a'),
    one('b', 'Alpha'),
    one('a', 'Group'),
    one('d', 'Docks', 'a'),
    one('e', 'Deep', 'c'),
  ]
  expect(branchesOf(list, compare).map(({ organization, depth }) => `${depth} ${organization.name}`)).toEqual(
    ['0 Alpha', '0 Group', '1 Docks', '1 Ship', '2 Deep'],
  )
  expect(branchesOf(list, compare).at(-1)?.path).toBe('Group / Ship / Deep')
})

test('one whose parent may not be seen stands at the top', () => {
  expect(branchesOf([one('b', 'Child', 'hidden')], compare)).toMatchObject([{ depth: 0 }])
})
