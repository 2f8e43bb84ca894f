import type { StatusCause } from '../../errors.ts'
import { listOf } from '../../schema/json.ts'

/** Collects what is wrong with an object, each finding under the field it belongs to, in the API server's words. */
export type Report = {
  readonly causes: readonly StatusCause[]
  readonly invalid: (field: string, value: unknown, why: string) => void
  readonly required: (field: string, why?: string) => void
  readonly forbidden: (field: string, why: string) => void
  readonly duplicate: (field: string, value: unknown) => void
  readonly notFound: (field: string, value: unknown) => void
  /** Refuses a value that is none of `supported`; the list is printed as it is given. */
  readonly oneOf: (field: string, value: unknown, supported: readonly string[]) => void
  /** Reports `value` once per problem; the problems are what a check of `names.ts` returned. */
  readonly each: (field: string, value: unknown, problems: readonly string[]) => void
  readonly tooLong: (field: string, limitBytes: number) => void
  readonly tooMany: (field: string, count: number, limit: number) => void
  readonly add: (reason: string, field: string, message: string) => void
}

/** Nobody reads more findings than this; a real server has no limit. */
const CAUSES_MAX = 200

export function createReport(): Report {
  const causes: StatusCause[] = []
  const add = (reason: string, field: string, message: string): void => {
    if (causes.length < CAUSES_MAX) causes.push({ reason, message, field })
  }
  const invalid = (field: string, value: unknown, why: string): void =>
    add('FieldValueInvalid', field, `Invalid value: ${print(value)}: ${why}`)
  return {
    causes,
    add,
    invalid,
    required: (field, why) =>
      add('FieldValueRequired', field, why === undefined ? 'Required value' : `Required value: ${why}`),
    forbidden: (field, why) => add('FieldValueForbidden', field, `Forbidden: ${why}`),
    duplicate: (field, value) => add('FieldValueDuplicate', field, `Duplicate value: ${print(value)}`),
    notFound: (field, value) => add('FieldValueNotFound', field, `Not found: ${print(value)}`),
    oneOf: (field, value, supported) => {
      if (listOf(supported).includes(value)) return
      const texts = supported.map((one) => JSON.stringify(one)).join(', ')
      add('FieldValueNotSupported', field, `Unsupported value: ${print(value)}: supported values: ${texts}`)
    },
    each: (field, value, problems) => {
      for (const problem of problems) invalid(field, value, problem)
    },
    tooLong: (field, limitBytes) =>
      add('FieldValueTooLong', field, `Too long: may not be more than ${limitBytes} bytes`),
    tooMany: (field, count, limit) =>
      add('FieldValueTooMany', field, `Too many: ${count}: must have at most ${limit} items`),
  }
}

function print(value: unknown): string {
  return JSON.stringify(value ?? null)
}
