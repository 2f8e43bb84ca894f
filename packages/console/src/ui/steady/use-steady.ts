import { useRef, useState, type PointerEvent } from 'react'

import { steadyRows, type Steady } from './steady.ts'

type Holding<Row> = Steady<Row> & {
  /** For the element that holds the rows. */
  readonly pointer: {
    readonly onPointerEnter: (event: PointerEvent) => void
    readonly onPointerLeave: () => void
  }
  /** Shows everything as it is now, wherever the pointer is. */
  readonly release: () => void
}

/**
 * The rows of a list, kept in their places while the pointer is over them.
 * @param question - what the rows answer: those of another question replace them at once; undefined holds nothing
 */
export function useSteady<Row>(
  present: readonly Row[],
  keyOf: (row: Row) => string,
  question: string | undefined,
): Holding<Row> {
  const [isHeld, setHeld] = useState(false)
  const shown = useRef<{ readonly question: string | undefined; readonly rows: readonly Row[] }>(undefined)
  const before = shown.current
  const isSame = isHeld && question !== undefined && before?.question === question
  const steady = steadyRows(isSame ? (before?.rows ?? []) : [], present, keyOf)
  shown.current = { question, rows: steady.rows }
  return {
    ...steady,
    pointer: {
      // A finger does not hover.
      onPointerEnter: ({ pointerType }) => setHeld(pointerType === 'mouse'),
      onPointerLeave: () => setHeld(false),
    },
    release() {
      shown.current = undefined
      setHeld(false)
      // Still over the rows: held again from what is shown then.
      requestAnimationFrame(() => setHeld(true))
    },
  }
}
