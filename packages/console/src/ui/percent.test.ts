import { expect, test } from 'vitest'

import { percentOf } from './percent.ts'

test.each([
  [1, 4, 25],
  [0, 4, 0],
  [6, 4, 150],
  [1, 0, 0],
  [1, 3, 33],
])('%d of %d is %d %%', (part, whole, percent) => expect(percentOf(part, whole)).toBe(percent))
