import type { Json } from '@slipway/kit'
import { assert } from '@slipway/kit'
import { sql } from 'kysely'
import type { Expression, RawBuilder, SqlBool } from 'kysely'

/** A JSON value for a jsonb column. Without this an array would become a PostgreSQL array. */
export function jsonb<T = Json>(value: T): RawBuilder<T> {
  return sql<T>`${JSON.stringify(value)}::jsonb`
}

/** One column of a keyset: a column's name and which way the list runs. All columns must be NOT NULL and the last one unique. */
export type KeysetColumn = { readonly column: string; readonly direction: 'asc' | 'desc' }

/**
 * The condition for "after the row with these values", for keyset paging. Takes the parts of a decoded cursor.
 * With one direction it is a row comparison, which an index on the same columns answers. A text cursor keeps milliseconds
 * only: timestamps in a keyset are `timestamptz(3)`.
 */
export function afterKey(columns: readonly KeysetColumn[], key: readonly string[]): Expression<SqlBool> {
  assert(columns.length === key.length && columns.length > 0, 'a key has a part for every column')
  const first = columns[0]
  if (columns.every(({ direction }) => direction === first?.direction)) {
    const names = sql.join(columns.map(({ column }) => sql.ref(column)))
    const values = sql.join(key)
    return first?.direction === 'asc'
      ? sql<SqlBool>`(${names}) > (${values})`
      : sql<SqlBool>`(${names}) < (${values})`
  }
  // a > x or (a = x and (b < y or …)), for mixed directions
  return columns.reduceRight<Expression<SqlBool> | undefined>((rest, { column, direction }, index) => {
    const name = sql.ref(column)
    const value = key[index]
    const beyond = direction === 'asc' ? sql<SqlBool>`${name} > ${value}` : sql<SqlBool>`${name} < ${value}`
    return rest === undefined ? beyond : sql<SqlBool>`(${beyond} or (${name} = ${value} and ${rest}))`
  }, undefined) as Expression<SqlBool> // there is at least one column
}
