import { describe, expect, test } from 'vitest'

import { compileQuery } from './query.ts'

const data = {
  items: [
    { slug: 'shop', size: 3, tags: ['a', 'b'], owner: { name: 'li' } },
    { slug: 'blog', size: 1, tags: ['b'], owner: null },
  ],
  'odd name': 7,
  empty: [],
}

const cases: [query: string, expected: unknown][] = [
  ['@', data],
  ['"odd name"', 7],
  ['missing', null],
  ['missing.deeper[0]', null],
  ['items[0].slug', 'shop'],
  ['items[-1].slug', 'blog'],
  ['items[9]', null],
  ['items[*].slug', ['shop', 'blog']],
  ['items[*].owner.name', ['li']],
  ['items[].tags[]', ['a', 'b', 'b']],
  ["items[?slug=='shop'].size", [3]],
  ['items[?size>`1`].slug', ['shop']],
  ["items[?size<=`1` || slug=='shop'].slug", ['shop', 'blog']],
  ["items[?!(slug=='shop')].slug", ['blog']],
  ['items[?owner && size>=`3`].slug', ['shop']],
  [
    'items[*].{name: slug, first: tags[0]}',
    [
      { name: 'shop', first: 'a' },
      { name: 'blog', first: 'b' },
    ],
  ],
  [
    'items[*].[slug, size]',
    [
      ['shop', 3],
      ['blog', 1],
    ],
  ],
  ['[items[0].slug, "odd name"]', ['shop', 7]],
  ['items[*].slug | [0]', 'shop'],
  ['length(items)', 2],
  ['sort(items[*].slug)', ['blog', 'shop']],
  ['keys(items[0].owner)', ['name']],
  ['items[0].owner.*', ['li']],
  ['empty || `"none"`', 'none'],
  ["'it\\'s'", "it's"],
  ['slug', null],
]
test.each(cases)('%s', (query, expected) => {
  expect(compileQuery(query)(data) ?? null).toEqual(expected)
})

describe('what cannot be read is refused with its place', () => {
  const refused: [query: string, position: number][] = [
    ['', 1],
    ['a.', 3],
    ['a[', 3],
    ['a b', 3],
    ['a[?b', 5],
    ['{a b}', 4],
    ['nosuch(a)', 8],
    ['`{`', 4],
    ['a[*', 4],
    ['a.b)', 4],
  ]
  test.each(refused)('%s', (query, position) => {
    expect(() => compileQuery(query)).toThrow(
      expect.objectContaining({
        code: 'query_invalid',
        params: expect.objectContaining({ position }) as unknown,
      }) as Error,
    )
  })

  test('nothing endless or deep is taken', () => {
    expect(() => compileQuery('('.repeat(1_000))).toThrow(
      expect.objectContaining({ code: 'query_invalid' }) as Error,
    )
    expect(() => compileQuery('a'.repeat(3_000))).toThrow(
      expect.objectContaining({ code: 'query_invalid' }) as Error,
    )
    expect(() => compileQuery(`${'!'.repeat(1_990)}a`)).not.toThrow(RangeError)
  })

  test('a query reaches fields of data only, never those of objects', () => {
    expect(compileQuery('constructor')({})).toBeNull()
    expect(compileQuery('__proto__')({})).toBeNull()
  })
})
