import { AppError } from '@slipway/kit'
import { expect, test } from 'vitest'

import type { Failure } from './errors.ts'
import { failureOf, isForeignKeyViolation, isUniqueViolation, translateFailure } from './errors.ts'

function serverError(code: string, more: object = {}): Error {
  return Object.assign(new Error('refused'), { code, severity: 'ERROR', ...more })
}

const cases: [when: string, thrown: unknown, failure: Failure][] = [
  ['a deadlock', serverError('40P01'), 'retry'],
  ['a serialization failure', serverError('40001'), 'retry'],
  ['a lock timeout', serverError('55P03'), 'timeout'],
  ['a statement timeout', serverError('57014'), 'timeout'],
  ['a shutdown', serverError('57P01'), 'connection'],
  ['a protocol failure', serverError('08006'), 'connection'],
  ['a wrong password', serverError('28P01'), 'login'],
  ['a full disk', serverError('53100'), 'full'],
  ['a NUL in a text', serverError('22021'), 'text'],
  ['a unique violation', serverError('23505'), 'other'],
  ['a refused connection', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 'connection'],
  ['a lost connection', new Error('Connection terminated unexpectedly'), 'connection'],
  ['an error that wraps a deadlock', new Error('saving failed', { cause: serverError('40P01') }), 'retry'],
  ['an error of ours', new Error('something else'), 'other'],
  ['a system error that looks like an SQLSTATE', Object.assign(new Error('x'), { code: 'EPERM' }), 'other'],
  ['no error at all', 'text', 'other'],
]
test.each(cases)('%s is sorted', (_, thrown, failure) => expect(failureOf(thrown)).toBe(failure))

test('what a caller can act on becomes a refusal with a hint when to come back', () => {
  expect(translateFailure(serverError('57P01'))).toMatchObject({
    code: 'database_unavailable',
    status: 503,
    retryAfterSeconds: 1,
  })
  expect(translateFailure(serverError('55P03'))).toMatchObject({ code: 'database_busy', status: 503 })
  expect(translateFailure(serverError('53100'))).toMatchObject({ code: 'database_full', status: 507 })
  expect(translateFailure(serverError('22021'))).toMatchObject({ code: 'text_not_storable', status: 400 })
})

test('refusals of ours and unknown errors pass unchanged', () => {
  const ours = new AppError('taken', 409)
  const unknown = new Error('x')
  expect(translateFailure(ours)).toBe(ours)
  expect(translateFailure(unknown)).toBe(unknown)
})

test('a violation is recognised by kind and constraint, also behind a wrapping error', () => {
  const thrown = new Error('x', { cause: serverError('23505', { constraint: 'project_name_key' }) })
  expect(isUniqueViolation(thrown)).toBe(true)
  expect(isUniqueViolation(thrown, 'project_name_key')).toBe(true)
  expect(isUniqueViolation(thrown, 'other_key')).toBe(false)
  expect(isForeignKeyViolation(thrown)).toBe(false)
})
