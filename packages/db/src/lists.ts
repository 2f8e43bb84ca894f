import { decodeTimeCursor } from '@slipway/kit'
import { sql, type QueryExecutorProvider, type SelectQueryBuilder, type SqlBool } from 'kysely'

/**
 * One page of rows with `created_at` and `id`, newest first, and one row more than the limit, which tells that there is a next page.
 * @throws {AppError} `cursor_invalid`
 */
export function newestFirst<DB, TB extends keyof DB, O>(
  query: SelectQueryBuilder<DB, TB, O>,
  page: { readonly limit: number; readonly cursor?: string | undefined },
): SelectQueryBuilder<DB, TB, O> {
  const ordered = query
    .orderBy(sql`created_at`, 'desc')
    .orderBy(sql`id`, 'desc')
    .limit(page.limit + 1)
  if (page.cursor === undefined) return ordered
  const [at, id] = decodeTimeCursor(page.cursor)
  return ordered.where(sql<SqlBool>`(created_at, id) < (${at}, ${id})`)
}

/** How many rows a query gives; counting stops at the most. */
export async function countUpTo<DB, TB extends keyof DB, O>(
  db: QueryExecutorProvider,
  query: SelectQueryBuilder<DB, TB, O>,
  most: number,
): Promise<number> {
  const rows = query
    .clearSelect()
    .select(sql`1`.as('one'))
    .limit(most)
  const counted = sql<{ count: string }>`select count(*) as count from (${rows}) as found`
  const [row] = (await counted.execute(db)).rows
  return Number(row?.count ?? 0)
}
