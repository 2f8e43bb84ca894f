import { expect, test } from 'vitest'

import { buttonsWidth, columnWidth, leastOf } from './width.ts'

const cases: [when: string, width: string, title: string, expected: string][] = [
  ['a title that fits changes nothing', 'minmax(200px, 2fr)', 'Name', 'minmax(200px, 2fr)'],
  ['a longer title makes a share wider at least', 'minmax(40px, 1fr)', 'Instances', 'minmax(87px, 1fr)'],
  ['a fixed width grows with its title', '60px', 'Instances', '87px'],
  ['square characters are counted whole', '40px', '实例', '44px'],
  ['a width without pixels stays', '2fr', 'Instances', '2fr'],
]

test.each(cases)('%s', (_, width, title, expected) => expect(columnWidth(width, title)).toBe(expected))

test('a column of buttons has room for all of them', () => {
  expect(leastOf(buttonsWidth(['Change', 'Disable']))).toBeGreaterThan(leastOf(buttonsWidth(['Change'])) + 60)
  expect(leastOf('minmax(120px, 1fr)')).toBe(120)
})
