import { expect, test } from 'vitest'

import { steadyRows } from './steady.ts'

type Row = { readonly id: string; readonly text: string }
const rows = (...ids: readonly string[]): readonly Row[] => ids.map((id) => ({ id, text: 'new' }))
const shown = (...ids: readonly string[]): readonly Row[] => ids.map((id) => ({ id, text: 'old' }))

test.each([
  ['nothing changed', ['a', 'b'], ['a', 'b'], ['a', 'b'], [], 0],
  ['the order changed', ['a', 'b', 'c'], ['c', 'a', 'b'], ['a', 'b', 'c'], [], 0],
  ['one came above', ['a', 'b'], ['x', 'a', 'b'], ['a', 'b'], [], 1],
  ['one went', ['a', 'b', 'c'], ['a', 'c'], ['a', 'b', 'c'], ['b'], 0],
  ['a further page came', ['a', 'b'], ['a', 'b', 'c', 'd'], ['a', 'b', 'c', 'd'], [], 0],
  ['one came above and one below', ['a'], ['x', 'a', 'y'], ['a', 'y'], [], 1],
  ['all went and others came', ['a'], ['x'], ['a', 'x'], ['a'], 0],
  ['there was nothing', [], ['a', 'b'], ['a', 'b'], [], 0],
] as const)('rows keep their places: %s', (_, before, now, expected, gone, waiting) => {
  const steady = steadyRows(shown(...before), rows(...now), ({ id }) => id)
  expect(steady.rows.map(({ id }) => id)).toEqual(expected)
  expect([...steady.gone]).toEqual(gone)
  expect(steady.waiting).toBe(waiting)
})

test('what a row says is renewed in its place', () => {
  const steady = steadyRows(shown('a', 'b'), rows('b', 'a'), ({ id }) => id)
  expect(steady.rows).toEqual([
    { id: 'a', text: 'new' },
    { id: 'b', text: 'new' },
  ])
})
