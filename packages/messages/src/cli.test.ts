import { expect, test } from 'vitest'

import { cliKeys, cliText, findCliText, languages } from './index.ts'

const placeholdersOf = (text: string): string[] =>
  [...text.matchAll(/\{([a-zA-Z0-9]+)\}/gu)].map((match) => match[1] ?? '').sort()

test('no key of the command line stands in two areas', () => {
  expect(new Set(cliKeys()).size).toBe(cliKeys().length)
})

test.each(cliKeys().map((key) => [key]))(
  '%s has a text with the same placeholders in every language',
  (key) => {
    const texts = languages.map((language) => findCliText(language, key) ?? '')
    expect(texts.every((text) => text !== '')).toBe(true)
    expect(new Set(texts.map((text) => placeholdersOf(text).join())).size).toBe(1)
  },
)

test('a key put together while running may have no text', () => {
  expect(findCliText('en', 'no.such.key')).toBeUndefined()
  expect(findCliText('en', 'toString')).toBeUndefined()
  expect(cliText('zh-CN', 'confirm.question', { action: '删除。' })).toContain('删除。')
})
