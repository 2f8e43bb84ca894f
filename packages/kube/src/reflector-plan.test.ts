import { describe, expect, test } from 'vitest'

import { KubeError } from './errors.ts'
import { type Ending, nextBackoff, noBackoff, type Recovery, recoveryOf, SILENCE } from './reflector-plan.ts'

const watchEnding: Ending = { during: 'watch', error: undefined, livedMs: 400_000, fruitless: 1 }
const listEnding: Ending = { ...watchEnding, during: 'list' }
const failed = (code: number, reason = 'Any', retryAfterSeconds?: number): KubeError =>
  new KubeError(code, reason, 'message', { retryAfterSeconds })
const future = new KubeError(504, 'Timeout', 'm', {
  details: { causes: [{ reason: 'ResourceVersionTooLarge' }] },
})

const none = { kind: 'none' } as const
const backoff = { kind: 'backoff' } as const
const slow = { kind: 'slow' } as const
const asked = (ms: number): Recovery['pause'] => ({ kind: 'asked', ms })

const cases: readonly (readonly [when: string, ending: Ending, expected: Recovery])[] = [
  ['an orderly end: watches again at once', watchEnding, { next: 'watch', pause: none, degraded: false }],
  [
    'an end within a second: backs off',
    { ...watchEnding, livedMs: 999 },
    { next: 'watch', pause: backoff, degraded: false },
  ],
  [
    'silence: resumes at once',
    { ...watchEnding, error: failed(0, SILENCE) },
    { next: 'watch', pause: none, degraded: false },
  ],
  [
    '410: lists after a pause',
    { ...watchEnding, error: failed(410) },
    { next: 'list', pause: backoff, degraded: false },
  ],
  [
    '429: obeys',
    { ...watchEnding, error: failed(429, 'TooManyRequests', 7) },
    { next: 'watch', pause: asked(7_000), degraded: true },
  ],
  [
    '429 with an hour: at most a minute',
    { ...listEnding, error: failed(429, 'TooManyRequests', 3_600) },
    { next: 'list', pause: asked(60_000), degraded: true },
  ],
  [
    '429 without a time: backs off',
    { ...listEnding, error: failed(429) },
    { next: 'list', pause: backoff, degraded: true },
  ],
  [
    'a future version: waits a second',
    { ...watchEnding, error: future },
    { next: 'watch', pause: asked(1_000), degraded: true },
  ],
  [
    'a future version again: lists',
    { ...watchEnding, error: future, fruitless: 2 },
    { next: 'list', pause: asked(1_000), degraded: true },
  ],
  ['401: slowly', { ...watchEnding, error: failed(401) }, { next: 'list', pause: slow, degraded: true }],
  ['403: slowly', { ...listEnding, error: failed(403) }, { next: 'list', pause: slow, degraded: true }],
  [
    '404, the resource is not there: slowly',
    { ...listEnding, error: failed(404) },
    { next: 'list', pause: slow, degraded: true },
  ],
  [
    'a broken connection: resumes',
    { ...watchEnding, error: failed(0, 'ConnectionLost') },
    { next: 'watch', pause: backoff, degraded: true },
  ],
  [
    'a bad line: resumes',
    { ...watchEnding, error: failed(0, 'InvalidReply') },
    { next: 'watch', pause: backoff, degraded: true },
  ],
  [
    'the third failure in a row: lists',
    { ...watchEnding, error: failed(500), fruitless: 3 },
    { next: 'list', pause: backoff, degraded: true },
  ],
  [
    'a list that fails: lists again',
    { ...listEnding, error: failed(500) },
    { next: 'list', pause: backoff, degraded: true },
  ],
  [
    'a bug: lists',
    { ...watchEnding, error: new TypeError('x') },
    { next: 'list', pause: backoff, degraded: true },
  ],
]

test.each(cases)('%s', (_, ending, expected) => expect(recoveryOf(ending)).toEqual(expected))

describe('the pause after failures', () => {
  const delays = (count: number, everyMs: number, random: number): number[] => {
    let state = noBackoff
    return Array.from({ length: count }, (_, index) => {
      const next = nextBackoff(state, 1_000_000 + index * everyMs, () => random)
      state = next.backoff
      return next.delayMs
    })
  }

  test('doubles from 0.8 s to 30 s', () =>
    expect(delays(8, 1_000, 0)).toEqual([800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]))
  test('is up to twice that by chance', () => expect(delays(2, 1_000, 0.5)).toEqual([1_200, 2_400]))
  test('starts small again after two quiet minutes', () =>
    expect(delays(3, 121_000, 0)).toEqual([800, 800, 800]))
})
