import { expect, test } from 'vitest'

import { logBuffer, patternOf, rowOfNumber } from './buffer.ts'

const line = (text: string) => ({ instance: 'wrk_x.a', container: 'web', at: '2026-01-31T08:00:00Z', text })
const many = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => line(`line ${from + index}`))

test('matches follow the lines that are added, in any case, and see through colours', () => {
  const buffer = logBuffer()
  buffer.add([line('an ERROR'), line('fine')])
  buffer.find('error')
  buffer.add([line('\u001B[31merr\u001B[0mor'), line('fine')])
  expect(buffer.matches.map(({ number }) => number)).toEqual([0, 2])
  buffer.find('')
  expect(buffer.matches).toEqual([])
})

test.each(['a.b', '(', '[x]', 'c\\d', '1+1', 'a|b', 'x-y', '/', '{}', '^$', '很'])(
  '%s is looked for literally',
  (text) => {
    expect(patternOf(text, 'iu')?.test(`before ${text} after`)).toBe(true)
    expect(patternOf(text, 'iu')?.test('something else')).toBe(false)
  },
)

test('of more lines than are held the newest stay, and keep their numbers', () => {
  const buffer = logBuffer({ lines: 100, length: 1_000_000, atOnce: 20 })
  buffer.find('5')
  for (let from = 0; from < 300; from += 50) buffer.add(many(from, 50))
  expect(buffer.lines.length).toBeLessThanOrEqual(120)
  expect(buffer.lines.at(-1)?.text).toBe('line 299')
  expect(buffer.lines.every(({ number, text }) => text === `line ${number}`)).toBe(true)
  expect(buffer.dropped().lines + buffer.lines.length).toBe(300)
  const first = buffer.lines[0]?.number ?? 0
  expect(buffer.matches.map(({ number }) => number)).toEqual(
    Array.from({ length: 300 }, (_, index) => index).filter(
      (index) => index >= first && String(index).includes('5'),
    ),
  )
  expect(rowOfNumber(buffer.lines, 250)).toBe(250 - first)
})

test('few long lines are dropped as well', () => {
  const buffer = logBuffer({ lines: 1_000, length: 1_000, atOnce: 2 })
  for (let count = 0; count < 20; count += 1) buffer.add([line('x'.repeat(100))])
  expect(buffer.lines.length).toBeLessThanOrEqual(11)
})
