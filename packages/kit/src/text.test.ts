import { expect, test } from 'vitest'

import { shorten } from './text.ts'

test.each([
  ['a short text stays', 'no such image', 13, 'no such image'],
  [
    'of a long one the beginning and the cause at its end',
    'pull: resolve: ask: x509: unknown',
    24,
    'pull: r … x509: unknown',
  ],
  ['the least', '0123456789abc', 10, '01 … 89abc'],
])('%s', (_, text, lengthMax, expected) => {
  expect(shorten(text, lengthMax)).toBe(expected)
})

test('a text is never longer than asked for', () => {
  for (let lengthMax = 10; lengthMax < 60; lengthMax += 1)
    expect(shorten('x'.repeat(100), lengthMax)).toHaveLength(lengthMax)
})
