import { cliText } from '@slipway/messages'
import { expect, test } from 'vitest'

import { renderObject, renderTable, type Style, type View } from './table.ts'
import { cutTo, printable, widthOf } from './width.ts'

type Item = { readonly name: string; readonly count: number; readonly on: boolean; readonly at?: Date }
const view: View<Item> = {
  columns: [
    { title: 'column.name', value: ({ name }) => name },
    { title: 'column.events', value: ({ count }) => count },
    { title: 'column.disabled', value: ({ on }) => on, wide: true },
    { title: 'column.at', value: ({ at }) => at },
  ],
  name: ({ name }) => name,
}
const styleOf = (language: 'en' | 'zh-CN', columns = 0): Style => ({
  language,
  timeZone: 'Asia/Shanghai',
  columns,
  text: (key) => cliText(language, key),
})
const items: Item[] = [
  { name: '网上商店', count: 12_345, on: true, at: new Date('2026-01-15T08:30:00Z') },
  { name: 'blog', count: 1, on: false },
]

test('columns line up when names are Chinese, which take two columns a character', () => {
  const lines = renderTable(items, view, { ...styleOf('en'), wide: false }).split('\n')
  const column = (line: string): number => widthOf(line.slice(0, line.search(/EVENTS|12,345|(?<=blog +)1/u)))
  expect(new Set(lines.map(column)).size).toBe(1)
})

test('numbers, times and yes or no are written in the language', () => {
  expect(renderTable(items, view, { ...styleOf('zh-CN'), wide: true })).toContain('2026年1月15日 16:30:00')
  expect(renderTable(items, view, { ...styleOf('zh-CN'), wide: true })).toContain('是')
  expect(renderObject(items[1] ?? items[0], view as never, styleOf('en'))).toContain('DISABLED: no')
})

test('a terminal cuts the last column, a pipe never does', () => {
  const long: Item[] = [{ name: 'x', count: 1, on: true, at: new Date('2026-01-15T08:30:00Z') }]
  const lines = renderTable(long, view, { ...styleOf('en', 32), wide: false }).split('\n')
  expect(lines.every((line) => widthOf(line) <= 32)).toBe(true)
  expect(lines[1]).toContain('…')
})

test.each([
  ['shop', 4],
  ['商店', 4],
  ['ｆｕｌｌ', 8],
  ['e\u0301', 1],
  ['🚀', 2],
])('%s takes %i columns', (text, width) => expect(widthOf(text)).toBe(width))

test('text is cut between characters, at the width', () => {
  expect(cutTo('网上商店', 5)).toBe('网上…')
  expect(cutTo('shop', 4)).toBe('shop')
})

test('what could steer a terminal is replaced', () => {
  expect(printable('a\u001B[2Jb\u202Ec\nd')).toBe('a\uFFFD[2Jb\uFFFDc d')
})
