import { Button, Checkbox } from 'antd'
import { useState, type ReactNode } from 'react'

import { useText } from '../../preferences/text.ts'
import type { Column } from '../../ui/grid/grid.tsx'

/** At most this many at a time: a preview that nobody can read is none. */
export const CHOSEN_MAX = 250

export type Selection<Row> = {
  readonly rows: readonly Row[]
  readonly has: (row: Row) => boolean
  readonly toggle: (row: Row) => void
  readonly choose: (rows: readonly Row[]) => void
  readonly clear: () => void
}

/** Rows that somebody has chosen; they stay chosen while the list changes. */
export function useSelection<Row>(keyOf: (row: Row) => string): Selection<Row> {
  const [chosen, setChosen] = useState<ReadonlyMap<string, Row>>(new Map())
  return {
    rows: [...chosen.values()],
    has: (row) => chosen.has(keyOf(row)),
    toggle(row) {
      const next = new Map(chosen)
      if (!next.delete(keyOf(row)) && next.size < CHOSEN_MAX) next.set(keyOf(row), row)
      setChosen(next)
    },
    choose: (rows) => setChosen(new Map(rows.slice(0, CHOSEN_MAX).map((row) => [keyOf(row), row]))),
    clear: () => setChosen(new Map()),
  }
}

/** The column in which rows are chosen. */
export function useSelectColumn<Row>(selection: Selection<Row>, nameOf: (row: Row) => string): Column<Row> {
  const { text } = useText()
  return {
    id: 'chosen',
    title: text('bulk.choose'),
    isTitleHidden: true,
    width: '36px',
    cell: (row) => (
      <Checkbox
        aria-label={text('bulk.chooseOne', { name: nameOf(row) })}
        checked={selection.has(row)}
        onChange={() => selection.toggle(row)}
      />
    ),
  }
}

type BarProps<Row> = {
  readonly selection: Selection<Row>
  /** The rows of the list that are loaded, and how many there are in all. */
  readonly of: {
    readonly rows: readonly Row[]
    readonly total?: number | undefined
    readonly hasNextPage: boolean
    readonly isFetchingNextPage: boolean
    readonly fetchNextPage: () => Promise<unknown>
  }
  /** What can be done with the chosen ones. */
  readonly children: ReactNode
}

/** How many are chosen, the way to choose all or none, and what can be done with them. */
export function BulkBar<Row>({ selection, of, children }: BarProps<Row>) {
  const { text } = useText()
  const count = selection.rows.length
  const reachable = Math.min(of.total ?? of.rows.length, CHOSEN_MAX)
  return (
    <div className="bulk-bar" role="group" aria-label={text('bulk.label')}>
      <span role="status">{text('bulk.count', { count })}</span>
      <Button
        type="link"
        size="small"
        loading={of.isFetchingNextPage}
        disabled={of.rows.length === 0}
        onClick={() => {
          selection.choose(of.rows)
          // What is not loaded yet is chosen by asking once more.
          if (of.rows.length < reachable && of.hasNextPage) void of.fetchNextPage()
        }}
      >
        {of.rows.length < reachable
          ? text('bulk.loaded', { count: of.rows.length, total: reachable })
          : text('bulk.all', { count: reachable })}
      </Button>
      {count > 0 && (
        <>
          <Button type="link" size="small" onClick={selection.clear}>
            {text('bulk.none')}
          </Button>
          <span className="page-actions">{children}</span>
        </>
      )}
    </div>
  )
}
