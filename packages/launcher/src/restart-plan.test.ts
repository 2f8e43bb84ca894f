import { expect, test } from 'vitest'

import { planRestart, type RestartStep } from './restart-plan.ts'

const cases: [when: string, restartsAtMs: number[], nowMs: number, step: RestartStep][] = [
  ['it never ended before: at once', [], 0, { kind: 'restart', afterMs: 0 }],
  ['it ended a moment ago: a pause', [1_000], 2_000, { kind: 'restart', afterMs: 250 }],
  ['again and again: longer pauses', [0, 1, 2, 3], 10, { kind: 'restart', afterMs: 2_000 }],
  ['five times within a minute: no more', [0, 1, 2, 3, 4], 59_999, { kind: 'give-up' }],
  ['the first of five is a minute old', [0, 1, 2, 3, 4], 60_000, { kind: 'restart', afterMs: 2_000 }],
  ['all of it is long ago', [0, 1, 2, 3, 4], 600_000, { kind: 'restart', afterMs: 0 }],
]
test.each(cases)('%s', (_, restarts, nowMs, step) => expect(planRestart(restarts, nowMs)).toEqual(step))
