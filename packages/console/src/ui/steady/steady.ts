/*
 * Nothing moves under the pointer: while it is over a list, the rows that are shown keep their places. What they say is
 * renewed, what is gone stays where it was, and what is new is counted and waits, unless it comes after everything that is
 * shown, where it moves nothing.
 */

export type Steady<Row> = {
  readonly rows: readonly Row[]
  /** Keys of rows that are shown and are no longer there. */
  readonly gone: ReadonlySet<string>
  /** How many there are that are not shown. */
  readonly waiting: number
}

/** @param shown - what is on the screen. @param present - what there is now. Pure. */
export function steadyRows<Row>(
  shown: readonly Row[],
  present: readonly Row[],
  keyOf: (row: Row) => string,
): Steady<Row> {
  const now = new Map(present.map((row) => [keyOf(row), row]))
  const before = new Set(shown.map(keyOf))
  const lastKnown = present.findLastIndex((row) => before.has(keyOf(row)))
  const after = present.slice(lastKnown + 1)
  return {
    rows: [...shown.map((row) => now.get(keyOf(row)) ?? row), ...after],
    gone: new Set([...before].filter((key) => !now.has(key))),
    waiting: present.slice(0, lastKnown + 1).filter((row) => !before.has(keyOf(row))).length,
  }
}
