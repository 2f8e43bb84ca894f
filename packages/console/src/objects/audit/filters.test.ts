import { expect, test } from 'vitest'

import { commandOf, csvLine, filtersOf } from './filters.ts'

test('what an address cannot mean is passed over', () => {
  expect(
    filtersOf({ action: ' release.start ', from: 'yesterday', until: '2026-01-31T08:00:00Z', other: 'x' }),
  ).toEqual({
    action: 'release.start',
    until: '2026-01-31T08:00:00.000Z',
  })
  expect(filtersOf({ target: 'x'.repeat(500) }).target).toHaveLength(128)
  expect(filtersOf({})).toEqual({})
})

test('the command line shows the same', () => {
  expect(commandOf({ action: 'release.start' }, '--organization demo')).toBe(
    'audit list --organization demo --action release.start',
  )
  expect(commandOf({}, '')).toBe('audit list')
})

test.each([
  [['a', 1, null], 'a,1,\r\n'],
  [['a,b', 'say "x"'], '"a,b","say ""x"""\r\n'],
  [['=1+1', '-2', '@x'], "'=1+1,'-2,'@x\r\n"],
  [['two\nlines'], '"two\nlines"\r\n'],
])('%j is written as a line of CSV', (values, line) => expect(csvLine(values)).toBe(line))
