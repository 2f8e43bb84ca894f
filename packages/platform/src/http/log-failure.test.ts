import { AppError } from '@slipway/kit'
import { expect, test } from 'vitest'

import { logFailure } from './log-failure.ts'

function linesOf(thrown: unknown): readonly unknown[] {
  const lines: unknown[] = []
  const write =
    (level: string) =>
    (fields: unknown, message: unknown): void =>
      void lines.push([level, fields, message])
  logFailure({ warn: write('warn'), error: write('error') }, thrown, {
    message: 'a request failed',
    requestId: 'req_1',
  })
  return lines
}

test('a foreseen failure is one line of warning with its code, parameters and causes', () => {
  const cause = new Error('readyz failed', { cause: new Error('connect ECONNREFUSED') })
  expect(linesOf(new AppError('cluster_unreachable', 503, { name: 'far' }, { cause }))).toEqual([
    [
      'warn',
      {
        code: 'cluster_unreachable',
        params: { name: 'far' },
        cause: 'readyz failed: connect ECONNREFUSED',
        requestId: 'req_1',
      },
      'a request failed',
    ],
  ])
})

test('causes that go round end', () => {
  const cause = new Error('round')
  cause.cause = cause
  expect(JSON.stringify(linesOf(new AppError('database_busy', 503, {}, { cause })))).toContain('round: round')
})

test('what nobody foresaw keeps its stack', () => {
  const broken = new TypeError('x is not a function')
  expect(linesOf(broken)).toEqual([['error', { err: broken, requestId: 'req_1' }, 'a request failed']])
  const internal = new AppError('internal', 500, {}, { cause: broken })
  expect(linesOf(internal)).toEqual([['error', { err: internal, requestId: 'req_1' }, 'a request failed']])
})

test('a refusal of the caller is no failure', () => {
  expect(linesOf(new AppError('not_found', 404))).toEqual([])
})
