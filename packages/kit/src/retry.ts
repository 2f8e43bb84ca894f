import { assert } from './assert.ts'
import type { Random } from './random.ts'

const FIRST_DELAY_MS = 500
const MAX_DELAY_MS = 5 * 60_000

/**
 * Delay before retry number `attempt` (the first retry is 0), in milliseconds.
 * Doubles from 500 ms up to 5 min, then spreads by ±20 % so that objects that failed together do not come back together.
 * @param limits - other bounds, in milliseconds
 * @throws {AssertionError} when `attempt` is negative: callers count from zero, so that is a bug.
 */
export function retryDelayMs(
  attempt: number,
  random: Random,
  limits: { readonly firstMs?: number; readonly maxMs?: number } = {},
): number {
  assert(attempt >= 0, 'attempt counts from 0')
  const firstMs = limits.firstMs ?? FIRST_DELAY_MS
  const maxMs = limits.maxMs ?? MAX_DELAY_MS
  return Math.round(Math.min(firstMs * 2 ** Math.min(attempt, 40), maxMs) * (0.8 + 0.4 * random()))
}
