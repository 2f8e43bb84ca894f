import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { parseStamp, stampText } from '../../../stamp.ts'
import { advanced, decodePositions, encodePositions, skipperTo, type Position } from './position.ts'

describe('times of lines', () => {
  const cases: [text: string, expected: string | undefined][] = [
    ['2026-01-31T08:00:00Z', '2026-01-31T08:00:00.000000000Z'],
    ['2026-01-31T08:00:00.5Z', '2026-01-31T08:00:00.500000000Z'],
    ['2026-01-31T16:00:00.123456789+08:00', '2026-01-31T08:00:00.123456789Z'],
    ['2026-01-31 08:00:00Z', undefined],
    ['2026-13-31T08:00:00Z', undefined],
    ['yesterday', undefined],
  ]
  test.each(cases)('%s', (text, expected) => {
    const stamp = parseStamp(text)
    expect(stamp === undefined ? undefined : stampText(stamp)).toBe(expected)
  })
})

test('positions come back as they were sent', () => {
  const position = fc.record({
    restarts: fc.nat({ max: 1_000_000 }),
    at: fc.bigInt({ min: 0n, max: 4_000_000_000n * 1_000_000_000n }),
    count: fc.nat({ max: 1_000_000 }),
  })
  const positions = fc.array(fc.tuple(fc.stringMatching(/^[\w-]{8}$/u), position), { maxLength: 100 })
  fc.assert(
    fc.property(positions, (entries) => {
      const map = new Map<string, Position>(entries)
      expect(decodePositions(encodePositions(map))).toEqual(map)
    }),
  )
})

test.each(['', '2~', '1~abc', '1~abcdefgh.1.1', `1~${'x'.repeat(20_000)}`, '1~abcdefgh.A.1.1'])(
  'nothing else is a position: %s',
  (text) => expect(decodePositions(text)).toBeUndefined(),
)

test('a reader cut off after any line gets every line once, however many share a time', () => {
  const log = fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 40 }).map((steps) =>
    steps.map(
      (
        (at) => (step) =>
          BigInt((at += step))
      )(1),
    ),
  )
  fc.assert(
    fc.property(log, fc.infiniteStream(fc.integer({ min: 1, max: 5 })), (stamps, cuts) => {
      const seen: number[] = []
      let position: Position | undefined
      while (seen.length < stamps.length) {
        let left = cuts.next().value ?? 1
        const isBehind = skipperTo(position)
        for (const [index, at] of stamps.entries()) {
          if (!isBehind(at)) continue
          if (left === 0) break
          left -= 1
          position = advanced(position, at, 0)
          seen.push(index)
        }
      }
      expect(seen).toEqual(stamps.map((_, index) => index))
    }),
  )
})

test('a clock that is set back later hides no line', () => {
  const isBehind = skipperTo({ restarts: 0, at: 10n, count: 1 })
  expect([5n, 10n, 11n, 7n, 8n].map(isBehind)).toEqual([false, false, true, true, true])
})
