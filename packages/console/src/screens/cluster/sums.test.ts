import { expect, test } from 'vitest'

import { shareOf, sumOf } from './sums.ts'

test.each([
  [1, 4, 25],
  [0, 4, 0],
  [6, 4, 150],
  [1, 0, 0],
  [1, 3, 33],
])('%d of %d is %d %%', (part, whole, percent) => expect(shareOf(part, whole)).toBe(percent))

test('a sum over no rows is nothing', () => {
  expect(sumOf([], () => 1)).toBe(0)
  expect(sumOf([{ n: 1 }, { n: 2.5 }], ({ n }) => n)).toBe(3.5)
})
