import fc from 'fast-check'
import { expect, test } from 'vitest'

import { heightsOf } from './heights.ts'

test('rows lie where adding up says, whatever was measured, added and dropped', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('append' as const), px: fc.integer({ min: 1, max: 500 }) }),
    fc.record({ kind: fc.constant('set' as const), at: fc.nat(3_000), px: fc.integer({ min: 1, max: 500 }) }),
    fc.record({ kind: fc.constant('drop' as const), count: fc.nat(5) }),
  )
  fc.assert(
    fc.property(fc.nat(2_100), fc.array(step, { maxLength: 60 }), (first, steps) => {
      const heights = heightsOf()
      let plain: number[] = []
      const append = (px: number): void => {
        heights.append(px)
        plain.push(px)
      }
      for (let index = 0; index < first; index += 1) append(19)
      for (const one of steps)
        if (one.kind === 'append') append(one.px)
        else if (one.kind === 'drop') {
          heights.dropFirst(one.count)
          plain = plain.slice(one.count)
        } else if (one.at < plain.length) {
          heights.set(one.at, one.px)
          plain[one.at] = one.px
        }
      expect(heights.count()).toBe(plain.length)
      let top = 0
      for (const [index, px] of plain.entries()) {
        if (index % 97 === 0 || index > plain.length - 5) {
          expect(heights.topOf(index)).toBe(top)
          expect(heights.indexAt(top)).toBe(index)
          expect(heights.indexAt(top + px - 0.5)).toBe(index)
        }
        top += px
      }
      expect(heights.total()).toBe(top)
      expect(heights.indexAt(top + 10)).toBe(Math.max(0, plain.length - 1))
    }),
    { numRuns: 60 },
  )
})
