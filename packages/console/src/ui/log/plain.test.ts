import { expect, test } from 'vitest'

import { plainLine } from './plain.ts'

const cases: [when: string, text: string, shown: string][] = [
  ['plain text stays', 'listening on 8080', 'listening on 8080'],
  ['colours go', '\u001B[1;31mfailed\u001B[0m now', 'failed now'],
  ['a title of a terminal goes', '\u001B]0;title\u0007text', 'text'],
  ['a carriage return starts over', 'loading 10 %\rloading 90 %', 'loading 90 %'],
  ['the end of a Windows line goes', 'text\r', 'text'],
  ['control characters are seen', 'a\u0000b\u0008', 'a␦b␦'],
  ['tabs stay', 'a\tb', 'a\tb'],
  ['marks that turn text around are seen', 'user\u202Egnp.exe', 'user␦gnp.exe'],
  ['Chinese and emoji stay', '构建完成 🚀', '构建完成 🚀'],
]

test.each(cases)('%s', (_, text, shown) => expect(plainLine(text)).toBe(shown))

test('a line without an end is cut', () => {
  expect(plainLine('x'.repeat(10_000_000))).toHaveLength(4_001)
})
