import { expect, test } from 'vitest'

import { fieldOf, momentOf } from './moment.ts'

test('a moment survives its field', () => {
  const at = '2026-01-31T08:05:00.000Z'
  expect(momentOf(fieldOf(at))).toBe(at)
})

test('a field without a moment holds none', () => {
  expect(fieldOf(undefined)).toBe('')
  expect(momentOf('')).toBeUndefined()
})
