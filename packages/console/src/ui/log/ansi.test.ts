import { expect, test } from 'vitest'

import { bareText, piecesOf } from './ansi.ts'

const E = '\u001B'
const shown = (text: string, lengthMax = 4_000): string =>
  piecesOf(text, lengthMax)
    .map(({ text: part, looks, isMark }) =>
      looks.length > 0 || isMark ? `<${[...looks, ...(isMark ? ['mark'] : [])].join(' ')}>${part}</>` : part,
    )
    .join('')

const cases: [when: string, text: string, expected: string][] = [
  ['plain text stays', 'listening on 8080', 'listening on 8080'],
  ['a colour holds until it ends', `a${E}[31mred${E}[0m b`, 'a<c1>red</> b'],
  ['bright, ground and weight add up', `${E}[1;97;44mx`, '<c15 b4 bold>x</>'],
  ['weight alone can end', `${E}[1;31ma${E}[22mb`, '<c1 bold>a</><c1>b</>'],
  ['reversed colours change places', `${E}[32;7mx`, '<c0 b2>x</>'],
  [
    '256 colours become the nearest',
    `${E}[38;5;196mx${E}[38;5;3my${E}[38;5;240mz`,
    '<c9>x</><c3>y</><c8>z</>',
  ],
  ['24 bits become the nearest', `${E}[38;2;20;200;20mx`, '<c10>x</>'],
  ['an unknown look is passed over', `${E}[77mx`, 'x'],
  ['an empty parameter ends all', `${E}[1mx${E}[my`, '<bold>x</>y'],
  ['cursor movement and clearing do nothing', `${E}[2J${E}[10;10Hx${E}[K`, 'x'],
  [
    'a title, a link and a clipboard command go',
    `${E}]0;t\u0007a${E}]8;;http://x${E}\\b${E}]52;c;AAAA\u0007c`,
    'abc',
  ],
  ['a string without an end takes the rest', `a${E}]0;never`, 'a'],
  ['an escape without a sequence is gone or seen', `a${E}`, 'a<mark>␛</>'],
  ['a carriage return starts over and keeps the colour', `${E}[32m10 %\r90 %`, '<c2>90 %</>'],
  ['the end of a Windows line goes', 'text\r', 'text'],
  ['control characters are seen', 'a\u0000b\u0008', 'a<mark>␀</>b<mark>␈</>'],
  ['marks that turn text around are seen', 'user\u202Egnp.exe', 'user<mark>U+202E</>gnp.exe'],
  ['tabs, Chinese and joined emoji stay', 'a\t构建 👩‍🚒', 'a\t构建 👩‍🚒'],
  ['markup is text', '<img src=x onerror=alert(1)>', '<img src=x onerror=alert(1)>'],
]
test.each(cases)('%s', (_, text, expected) => expect(shown(text)).toBe(expected))

test('of an endless line only the beginning is taken apart', () => {
  expect(shown(`${E}[31m${'x'.repeat(10_000_000)}`, 10)).toBe(`<c1>${'x'.repeat(10)}</>`)
})

test('what is searched is what is read', () => {
  expect(bareText(`${E}[31mfailed${E}[0m\r`)).toBe('failed')
  expect(bareText('old\rnew')).toBe('new')
})
