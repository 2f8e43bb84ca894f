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

/**
 * Unpacks a cursor of a time and an id, by which lists are paged that show the newest first.
 * @throws {AppError} `cursor_invalid`
 */
export function decodeTimeCursor(cursor: string): readonly [at: Date, id: string] {
  const [text = '', id = ''] = decodeCursor(cursor, 2)
  const at = new Date(text)
  if (Number.isNaN(at.getTime())) throw pagingErrors.cursor_invalid()
  return [at, id]
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

/** How a list in memory is put in order: by a key, and among equals by the id. All keys are of one type. */
export type SortedBy<Row> = {
  readonly keyOf: (row: Row) => string | number
  readonly idOf: (row: Row) => string
  readonly descending: boolean
}

/**
 * One page of rows that are all in memory, after the cursor. The id breaks ties, in rising order.
 * @throws {AppError} `cursor_invalid`
 */
export function sortedPageOf<Row>(
  rows: readonly Row[],
  page: { readonly limit: number; readonly cursor?: string | undefined },
  { keyOf, idOf, descending }: SortedBy<Row>,
): Page<Row> {
  const turn = descending ? -1 : 1
  const compare = (a: Placed, b: Placed): number =>
    turn * compareKeys(a.key, b.key) || compareKeys(a.id, b.id)
  const placed = rows.map((row) => ({ row, key: keyOf(row), id: idOf(row) })).sort(compare)
  const after = page.cursor === undefined ? undefined : placeOf(page.cursor, typeof placed[0]?.key)
  const rest = after === undefined ? placed : placed.filter((one) => compare(one, after) > 0)
  return pageOf(
    rest.slice(0, page.limit + 1),
    page.limit,
    ({ row }) => row,
    ({ key, id }) => [String(key), id],
  )
}

type Placed = { readonly key: string | number; readonly id: string }

function placeOf(cursor: string, type: string): Placed {
  const [text = '', id = ''] = decodeCursor(cursor, 2)
  if (type !== 'number') return { key: text, id }
  const key = Number(text)
  if (!Number.isFinite(key)) throw pagingErrors.cursor_invalid()
  return { key, id }
}

function compareKeys(a: string | number, b: string | number): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
