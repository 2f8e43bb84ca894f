import { describe, expect, test } from 'vitest'

import { defineErrors, errorCodes, errorText, fill, languages } from './index.ts'

const placeholdersOf = (text: string): string[] =>
  [...text.matchAll(/\{([a-zA-Z0-9]+)\}/gu)].map((match) => match[1] ?? '').sort()

describe('error texts', () => {
  test('no code stands in two areas', () => {
    expect(new Set(errorCodes()).size).toBe(errorCodes().length)
  })

  test.each(errorCodes().map((code) => [code]))('%s has the same placeholders in every language', (code) => {
    const [english, chinese] = languages.map((language) => errorText(language, code, {}))
    expect(placeholdersOf(chinese ?? '')).toEqual(placeholdersOf(english ?? ''))
  })

  test('parameters are put in, unknown placeholders stay visible', () => {
    expect(errorText('en', 'slug_taken', { slug: 'shop' })).toContain('shop')
    expect(fill('{a} and {b}', { a: 1 })).toBe('1 and {b}')
    expect(errorText('en', 'no_such_code', {})).toBe('no_such_code')
  })

  test('a factory carries code, status and parameters', () => {
    const errors = defineErrors({ slug_taken: { status: 409 } })
    expect(errors.slug_taken({ slug: 'x' })).toMatchObject({
      code: 'slug_taken',
      status: 409,
      params: { slug: 'x' },
    })
    // @ts-expect-error the placeholder is missing
    expect(errors.slug_taken({}).code).toBe('slug_taken')
  })
})
