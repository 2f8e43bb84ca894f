import { expect, test } from 'vitest'

import { behindOf } from './server-time.ts'

const DATE = 'Sat, 21 Nov 2026 20:00:00 GMT'
const SERVER_MS = Date.parse(DATE)
const cases: [
  when: string,
  date: string | null,
  askedMs: number,
  answeredMs: number,
  expected: number | undefined,
][] = [
  ['the same time is none', DATE, SERVER_MS, SERVER_MS + 900, 0],
  ['a few seconds are none', DATE, SERVER_MS + 4_000, SERVER_MS + 4_500, 0],
  ['a clock that is behind', DATE, SERVER_MS - 60_000, SERVER_MS - 60_000, 60_000],
  ['a clock that is ahead', DATE, SERVER_MS + 3_600_000, SERVER_MS + 3_600_100, -3_600_100],
  ['an answer that was long on its way tells nothing', DATE, SERVER_MS, SERVER_MS + 20_000, undefined],
  ['a clock that was set meanwhile tells nothing', DATE, SERVER_MS, SERVER_MS - 60_000, undefined],
  ['no time tells nothing', null, SERVER_MS, SERVER_MS, undefined],
  ['nonsense tells nothing', 'yesterday', SERVER_MS, SERVER_MS, undefined],
]

test.each(cases)('%s', (_, date, askedMs, answeredMs, expected) =>
  expect(behindOf(date, askedMs, answeredMs)).toBe(expected),
)
