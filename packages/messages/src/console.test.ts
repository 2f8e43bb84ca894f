import { expect, test } from 'vitest'

import { consoleKeys, consoleText, type ConsoleKey } from './index.ts'

const keys = consoleKeys() as readonly ConsoleKey[]
const placeholdersOf = (text: string): string[] =>
  [...text.matchAll(/\{([a-zA-Z0-9]+)\}/gu)].map((match) => match[1] ?? '').sort()

test('no key of the console stands in two areas', () => {
  expect(new Set(keys).size).toBe(keys.length)
})

test('every text of the console has the same placeholders in both languages', () => {
  const differing = keys.filter(
    (key) =>
      placeholdersOf(consoleText('en', key)).join() !== placeholdersOf(consoleText('zh-CN', key)).join(),
  )
  expect(differing).toEqual([])
})

test('no Chinese stands in an English text, and no English sentence in a Chinese one', () => {
  const han = keys.filter((key) => /\p{Script=Han}/u.test(consoleText('en', key).replace('中文', '')))
  expect(han).toEqual([])
  const untranslated = keys.filter(
    (key) =>
      /[a-z]{4}/u.test(consoleText('en', key).replaceAll(/\{\w+\}/gu, '')) &&
      consoleText('en', key) === consoleText('zh-CN', key),
  )
  expect(untranslated).toEqual([])
})
