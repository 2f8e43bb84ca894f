import { defineErrors } from './errors.ts'

export const PAGE_LIMIT_DEFAULT = 50
export const PAGE_LIMIT_MAX = 200

/** One page of a keyset-paged list. `cursor` is opaque and absent on the last page. */
export type Page<T> = { readonly items: readonly T[]; readonly cursor?: string }

const pagingErrors = defineErrors({ cursor_invalid: { status: 400 } })

/** Packs the sort key of the last row of a page. */
export function encodeCursor(key: readonly string[]): string {
  return Buffer.from(JSON.stringify(key), 'utf8').toString('base64url')
}

/**
 * Unpacks a cursor into exactly `length` text parts.
 * @throws {AppError} `cursor_invalid` for anything `encodeCursor` did not make.
 */
export function decodeCursor(cursor: string, length: number): string[] {
  let key: unknown
  try {
    key = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch (cause) {
    throw pagingErrors.cursor_invalid({}, { cause })
  }
  if (!Array.isArray(key) || key.length !== length || !key.every((part) => typeof part === 'string'))
    throw pagingErrors.cursor_invalid()
  return key
}

/**
 * Unpacks a cursor whose only part is a whole number below 10^9, as every `int` of the database can hold.
 * @throws {AppError} `cursor_invalid` for anything else.
 */
export function decodeNumberCursor(cursor: string): number {
  const [text = ''] = decodeCursor(cursor, 1)
  if (!/^\d{1,9}$/u.test(text)) throw pagingErrors.cursor_invalid()
  return Number(text)
}

/** Cuts `limit + 1` fetched rows to a page: the extra row only tells that there is a next page. */
export function pageOf<Row, T>(
  rows: readonly Row[],
  limit: number,
  view: (row: Row) => T,
  keyOf: (row: Row) => readonly string[],
): Page<T> {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const items = shown.map(view)
  return rows.length > limit && last !== undefined ? { items, cursor: encodeCursor(keyOf(last)) } : { items }
}
