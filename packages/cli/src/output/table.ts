import type { CliKey, Language } from '@slipway/messages'

import { cutTo, padTo, printable, widthOf } from './width.ts'

/** What a column shows; a Date is written in the reader's language and time zone. */
type Cell = string | number | boolean | Date | null | undefined

type Column<Item> = {
  readonly title: CliKey
  readonly value: (item: Item) => Cell
  /** Only shown by `-o wide` and where a single object is shown. */
  readonly wide?: boolean
}

/** How objects of one kind are shown to people. `name` is what `-o name` prints: what other commands take. */
export type View<Item> = {
  readonly columns: readonly Column<Item>[]
  readonly name: (item: Item) => string
}

export type Style = {
  readonly language: Language
  readonly timeZone: string | undefined
  /** Width of the terminal; 0 when there is none, and nothing is cut then. */
  readonly columns: number
  readonly text: (key: CliKey) => string
}

const GAP = '   '
const LAST_COLUMN_MIN = 12

/** Rows under a header; the last column is cut to the terminal. Pure. */
export function renderTable<Item>(
  items: readonly Item[],
  view: View<Item>,
  style: Style & { readonly wide: boolean },
): string {
  const columns = view.columns.filter((column) => style.wide || column.wide !== true)
  const rows = [
    columns.map((column) => style.text(column.title)),
    ...items.map((item) => columns.map((column) => cellText(column.value(item), style))),
  ]
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => widthOf(row[index] ?? ''))))
  return rows.map((row) => rowText(row, widths, style)).join('\n')
}

function rowText(row: readonly string[], widths: readonly number[], style: Style): string {
  let line = ''
  for (const [index, text] of row.entries()) {
    const isLast = index === row.length - 1
    const left = style.columns - widthOf(line)
    if (!isLast) line += padTo(text, widths[index] ?? 0) + GAP
    else line += style.columns > 0 && left >= LAST_COLUMN_MIN ? cutTo(text, left) : text
  }
  return line.trimEnd()
}

/** One object, a line per field. Pure. */
export function renderObject<Item>(item: Item, view: View<Item>, style: Style): string {
  const titles = view.columns.map((column) => `${style.text(column.title)}:`)
  const width = Math.max(...titles.map(widthOf))
  return view.columns
    .map((column, index) =>
      `${padTo(titles[index] ?? '', width)} ${cellText(column.value(item), style)}`.trimEnd(),
    )
    .join('\n')
}

function cellText(value: Cell, style: Style): string {
  if (value === null || value === undefined || value === '') return '-'
  if (typeof value === 'boolean') return style.text(value ? 'output.yes' : 'output.no')
  if (typeof value === 'number') return new Intl.NumberFormat(style.language).format(value)
  if (value instanceof Date) return dateText(value, style)
  return printable(value)
}

function dateText(date: Date, style: Style): string {
  if (Number.isNaN(date.getTime())) return '-'
  const format = new Intl.DateTimeFormat(style.language, {
    dateStyle: 'medium',
    timeStyle: 'medium',
    hourCycle: 'h23',
    ...(style.timeZone !== undefined && { timeZone: style.timeZone }),
  })
  // Some locales put narrow or thin spaces between the parts, which many terminals cannot show.
  return format.format(date).replaceAll(/[\u2009\u202F]/gu, ' ')
}

/** A timestamp of the API as a cell; null stays empty. */
export function timeCell(timestamp: string | null | undefined): Date | undefined {
  return timestamp === null || timestamp === undefined ? undefined : new Date(timestamp)
}
