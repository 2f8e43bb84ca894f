import { useVirtualizer } from '@tanstack/react-virtual'
import {
  useEffect,
  useRef,
  useState,
  type CSSProperties,
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
} from 'react'

import { usePreferences } from '../../preferences/store.ts'
import { useText } from '../../preferences/text.ts'
import { NewRows } from '../steady/new-rows.tsx'
import { useSteady } from '../steady/use-steady.ts'
import { moveOf } from './moves.ts'
import { columnWidth, leastOf } from './width.ts'

/*
 * A list of any length. Only the rows in sight are in the page; to assistive technology it is a grid that knows how many rows
 * there are and which one each is. One row at a time takes part in the tab order; arrows, Home, End, Page Up and Page Down
 * move through all of them. Further pages are asked for before their first row comes into sight.
 */

export type Column<Row> = {
  readonly id: string
  readonly title: string
  /** As in a grid template: `120px`, `minmax(200px, 2fr)`. */
  readonly width: string
  readonly cell: (row: Row) => ReactNode
  readonly isNumber?: boolean
  /** The title is only read aloud, as for buttons. */
  readonly isTitleHidden?: boolean
}

export type Rows<Row> = {
  readonly rows: readonly Row[]
  /** How many there are in all, where the server tells. */
  readonly total?: number | undefined
  readonly hasNextPage: boolean
  readonly isFetchingNextPage: boolean
  readonly fetchNextPage: () => Promise<unknown>
  /** What the rows answer; other rows of the same question never move under the pointer. */
  readonly question?: string | undefined
}

type GridProps<Row> = {
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly of: Rows<Row>
  readonly keyOf: (row: Row) => string
  /** Where Enter on a row leads. */
  readonly open?: (row: Row) => void
  readonly empty: ReactNode
}

const ROW_PX = { compact: 33, comfortable: 41 } as const
const AHEAD_ROWS = 20
const OVERSCAN_ROWS = 8

export function Grid<Row>({ label, columns, of, keyOf, open, empty }: GridProps<Row>) {
  const { text } = useText()
  const { density } = usePreferences()
  const scroller = useRef<HTMLDivElement>(null)
  const { total, hasNextPage, isFetchingNextPage, fetchNextPage } = of
  const steady = useSteady(of.rows, keyOf, of.question)
  const { rows } = steady
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX[density],
    overscan: OVERSCAN_ROWS,
    getItemKey: (index) => (rows[index] === undefined ? index : keyOf(rows[index])),
  })
  const shown = virtual.getVirtualItems()
  const lastShown = shown.at(-1)?.index ?? 0
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && lastShown >= rows.length - AHEAD_ROWS) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, lastShown, rows.length, fetchNextPage])
  useEffect(() => virtual.measure(), [density, virtual])
  const focus = useRowFocus({ ...of, rows }, scroller, (index) => virtual.scrollToIndex(index))

  if (rows.length === 0 && !isFetchingNextPage) return empty
  // Custom properties are not in the type of a style.
  const widths = columns.map(({ width, title, isTitleHidden }) =>
    isTitleHidden === true ? width : columnWidth(width, title),
  )
  const template = {
    '--columns': widths.join(' '),
    '--least-width': `${widths.reduce((sum, width) => sum + leastOf(width), 0)}px`,
  } as CSSProperties
  return (
    <div className="grid" style={template}>
      <div
        ref={scroller}
        className="grid-scroll"
        role="grid"
        aria-label={label}
        aria-rowcount={total === undefined ? (hasNextPage ? -1 : rows.length + 1) : total + 1}
        aria-colcount={columns.length}
        aria-busy={isFetchingNextPage}
        {...steady.pointer}
        onPointerOver={nameWhole}
        onKeyDown={(event) => focus.onKey(event, (index) => rows[index] && open?.(rows[index]))}
      >
        <div role="rowgroup" className="grid-head">
          <div role="row" aria-rowindex={1} className="grid-row">
            {columns.map((column) => (
              <div key={column.id} role="columnheader" className={column.isNumber ? 'is-number' : undefined}>
                {column.isTitleHidden ? (
                  <span className="visually-hidden">{column.title}</span>
                ) : (
                  column.title
                )}
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup" className="grid-body" style={{ height: virtual.getTotalSize() }}>
          {shown.map(({ index, start, size, key }) => {
            const row = rows[index]
            return row === undefined ? null : (
              <div
                key={key}
                role="row"
                aria-rowindex={index + 2}
                data-index={index}
                tabIndex={index === focus.active ? 0 : -1}
                className={steady.gone.has(keyOf(row)) ? 'grid-row is-gone' : 'grid-row'}
                style={{ transform: `translateY(${start}px)`, height: size }}
                onFocus={() => focus.setActive(index)}
              >
                {columns.map((column) => (
                  <div key={column.id} role="gridcell" className={column.isNumber ? 'is-number' : undefined}>
                    {column.cell(row)}
                  </div>
                ))}
              </div>
            )
          })}
        </div>
      </div>
      <p className="grid-foot" role="status">
        {isFetchingNextPage
          ? text('grid.loading')
          : total === undefined && hasNextPage
            ? text('grid.rowsMore', { count: rows.length })
            : text('grid.rows', { count: total ?? rows.length })}
        <NewRows of={steady} />
      </p>
    </div>
  )
}

/** A cell that is cut off says its whole text when it is pointed at; only what is drawn tells whether it is. */
function nameWhole({ target }: PointerEvent<HTMLElement>): void {
  const cell = target instanceof Element ? target.closest<HTMLElement>('[role=gridcell]') : null
  if (!cell || cell.querySelector('[title]:not(button)')) return
  if (cell.scrollWidth > cell.clientWidth) cell.title = cell.textContent
  else cell.removeAttribute('title')
}

/** Which row takes part in the tab order, and how keys move it. */
function useRowFocus<Row>(
  of: Rows<Row>,
  scroller: React.RefObject<HTMLDivElement | null>,
  show: (index: number) => void,
) {
  const [active, setActive] = useState(0)
  const [wanted, setWanted] = useState<number | 'end'>()
  const latest = useRef(show)
  latest.current = show
  const last = of.rows.length - 1
  // A row that was asked for is scrolled to first, and focused once it is in the page; the end may need further pages.
  useEffect(() => {
    if (wanted === undefined) return
    if (wanted === 'end' && of.hasNextPage) {
      if (!of.isFetchingNextPage) void of.fetchNextPage()
      return
    }
    const index = wanted === 'end' ? last : Math.min(wanted, last)
    latest.current(index)
    const frame = requestAnimationFrame(() => {
      scroller.current?.querySelector<HTMLElement>(`[data-index="${index}"]`)?.focus({ preventScroll: true })
      setActive(index)
      setWanted(undefined)
    })
    return () => cancelAnimationFrame(frame)
  }, [wanted, of, last, scroller])
  return {
    active: Math.min(active, Math.max(0, last)),
    setActive,
    onKey(event: KeyboardEvent<HTMLElement>, open: (index: number) => void) {
      const { target } = event
      if (event.nativeEvent.isComposing || !(target instanceof HTMLElement)) return
      // Links and buttons inside a row keep their own keys.
      if (target.getAttribute('role') !== 'row') return
      if (event.key === 'Enter') {
        event.preventDefault()
        open(active)
        return
      }
      const rowPx = target.getBoundingClientRect().height
      const pageRows = Math.max(1, Math.floor((scroller.current?.clientHeight ?? rowPx) / rowPx) - 2)
      const to = moveOf(event.key, active, { last, pageRows })
      if (to === undefined) return
      event.preventDefault()
      setWanted(to)
    },
  }
}
