import { definedErrors } from '@slipway/kit'
import { errorCodes } from '@slipway/messages'
import { expect, test } from 'vitest'

// Loads every module of the platform and, with them, every package that defines errors.
import './index.ts'

test('every error code that can leave the platform has a text in both languages', () => {
  expect(definedErrors.size).toBeGreaterThan(60)
  const texts = new Set(errorCodes())
  expect([...definedErrors.keys()].filter((code) => !texts.has(code)).sort()).toEqual([])
})
