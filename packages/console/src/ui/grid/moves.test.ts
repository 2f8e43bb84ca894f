import { expect, test } from 'vitest'

import { moveOf } from './moves.ts'

const list = { last: 99, pageRows: 10 }
const cases: [when: string, key: string, from: number, to: number | 'end' | undefined][] = [
  ['down one', 'ArrowDown', 4, 5],
  ['down stops at the last row', 'ArrowDown', 99, 99],
  ['up one', 'ArrowUp', 4, 3],
  ['up stops at the first row', 'ArrowUp', 0, 0],
  ['a page down', 'PageDown', 4, 14],
  ['a page down stops at the last row', 'PageDown', 95, 99],
  ['a page up stops at the first row', 'PageUp', 4, 0],
  ['home is the first row', 'Home', 50, 0],
  ['the end may have to be loaded', 'End', 50, 'end'],
  ['other keys lead nowhere', 'a', 50, undefined],
]

test.each(cases)('%s', (_, key, from, to) => expect(moveOf(key, from, list)).toBe(to))
