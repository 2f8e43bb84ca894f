import { UserCode } from '@slipway/contract'
import { expect, test } from 'vitest'

import { codeOf } from './code.ts'

test.each([
  ['BCDF-GHJK', 'BCDF-GHJK'],
  ['bcdfghjk', 'BCDF-GHJK'],
  [' bcdf ghjk ', 'BCDF-GHJK'],
  ['bcd fgh jk', 'BCDF-GHJK'],
  ['BCDF-GHJ', undefined],
  ['BCDF-GHJKL', undefined],
  ['ABCD-EFGH', undefined],
  ['', undefined],
  ['<b>-GHJK', undefined],
])('a code is read as people type it: %j', (typed, expected) => {
  expect(codeOf(typed)).toBe(expected)
  if (expected !== undefined) expect(UserCode.parse(expected)).toBe(expected)
})
