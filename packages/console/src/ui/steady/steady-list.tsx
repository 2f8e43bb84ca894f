import type { ReactNode } from 'react'

import { NewRows } from './new-rows.tsx'
import { useSteady } from './use-steady.ts'

type ListProps<Row> = {
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
  /** What the rows answer; another one shows all of them at once. */
  readonly question: string | undefined
  readonly label?: string
  readonly row: (row: Row) => RowParts
}
type RowParts = {
  readonly main: ReactNode
  /** Below it, smaller. */
  readonly note?: ReactNode
  readonly side: ReactNode
}

/** A short list; no row of it moves under the pointer. */
export function SteadyList<Row>({ rows, keyOf, question, label, row }: ListProps<Row>) {
  const steady = useSteady(rows, keyOf, question)
  return (
    <>
      <ul className="list" aria-label={label} {...steady.pointer}>
        {steady.rows.map((one) => {
          const { main, note, side } = row(one)
          return (
            <li key={keyOf(one)} className={steady.gone.has(keyOf(one)) ? 'is-gone' : ''}>
              <span className="list-main">
                {main}
                {note}
              </span>
              <span className="list-side">{side}</span>
            </li>
          )
        })}
      </ul>
      <NewRows of={steady} />
    </>
  )
}
