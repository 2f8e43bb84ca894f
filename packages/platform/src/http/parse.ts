import { AppError, isRecord } from '@slipway/kit'
import type { z } from 'zod'

import { httpErrors } from './errors.ts'
import { problemParams } from './problem.ts'

const PROBLEM_LENGTH_MAX = 300
const PROBLEMS_MAX = 5

/**
 * Parses one part of a request by its schema.
 * @throws {AppError} `input_invalid`, which names the field and never repeats a value
 */
export function parsePart<T extends z.ZodType>(
  part: 'path' | 'query' | 'body',
  schema: T,
  value: unknown,
): z.output<T> {
  const result = schema.safeParse(value, { reportInput: false })
  if (result.success) return result.data
  const issues = result.error.issues.slice(0, PROBLEMS_MAX)
  throw httpErrors.input_invalid({ part, problem: problemOf(issues), ...problemParams(issues) })
}

function problemOf(issues: readonly z.core.$ZodIssue[]): string {
  const texts = issues.map((issue) => {
    const path = issue.path.map(String).join('.')
    return path === '' ? issue.message : `${path}: ${issue.message}`
  })
  return texts.join('; ').slice(0, PROBLEM_LENGTH_MAX)
}

/** Takes `dryRun` out of a query, where every mutation accepts it. */
export function takeDryRun(query: unknown): { readonly dryRun: boolean; readonly query: unknown } {
  if (!isRecord(query) || !Object.hasOwn(query, 'dryRun')) return { dryRun: false, query }
  const { dryRun, ...rest } = query
  if (dryRun !== 'true' && dryRun !== 'false')
    throw httpErrors.input_invalid({ part: 'query', problem: 'dryRun: true or false' })
  return { dryRun: dryRun === 'true', query: rest }
}

/** Anything that was thrown, as the refusal the caller sees. */
export function refusalOf(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown
  const code = isRecord(thrown) ? thrown['code'] : undefined
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return httpErrors.media_type_unsupported(undefined, { cause: thrown })
  const status = isRecord(thrown) ? thrown['statusCode'] : undefined
  if (typeof status === 'number' && status >= 400 && status < 500)
    return httpErrors.input_invalid({ part: 'body', problem: 'it cannot be read' }, { cause: thrown })
  return httpErrors.internal(undefined, { cause: thrown })
}
