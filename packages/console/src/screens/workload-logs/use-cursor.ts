import { useEffect, useState, type KeyboardEvent } from 'react'

import { rowOfNumber, type Line } from './buffer.ts'
import type { Log } from './use-log.ts'
import { isLine, type LogView } from './view.ts'

type Cursor = {
  readonly isFollowing: boolean
  readonly follow: (isFollowing: boolean) => void
  /** Number of the line one is at. */
  readonly here: number | undefined
  /** Which of the matches that is. */
  readonly match: number | undefined
  /** To the next or the previous match; from the last to the first. */
  readonly step: (by: 1 | -1) => void
  readonly goTo: (number: number) => void
  readonly target: { readonly row: number; readonly at: number } | undefined
  readonly onKey: (event: KeyboardEvent<HTMLElement>) => void
}

/** Where one is in a log: at its end, at a match, or at the line of a link. */
export function useCursor(log: Log, view: LogView): Cursor {
  const { buffer } = log
  const [isFollowing, setFollowing] = useState(view.line === undefined)
  const [here, setHere] = useState<{ readonly number: number; readonly at: number }>()
  const rows = view.find !== '' && view.onlyMatches ? buffer.matches : buffer.lines
  const goTo = (number: number): void => {
    setFollowing(false)
    setHere((before) => ({ number, at: (before?.at ?? 0) + 1 }))
  }
  // What is looked for is found before it is drawn.
  const [found, setFound] = useState('')
  if (found !== view.find) {
    buffer.find(view.find)
    setFound(view.find)
    setHere(undefined)
  }
  const linked = view.line
  const linkedNumber = linked && buffer.lines.find((line) => isLine(linked, line))?.number
  useEffect(() => {
    if (linkedNumber !== undefined) goTo(linkedNumber)
  }, [linkedNumber])
  // With all lines instead of the matches (or the other way round) one is still at the same line.
  useEffect(() => {
    if (here) goTo(here.number)
  }, [view.onlyMatches])

  const matchOf = (number: number): number => rowOfNumber(buffer.matches, number)
  const isMatch = here !== undefined && buffer.matches[matchOf(here.number)]?.number === here.number
  const step = (by: 1 | -1): void => {
    const next = nextMatch(buffer.matches, here?.number, by)
    if (next) goTo(next.number)
  }
  return {
    isFollowing: isFollowing && !view.isPrevious,
    follow(is) {
      setFollowing(is)
      if (is) setHere(undefined)
    },
    here: here?.number,
    match: isMatch ? matchOf(here.number) : undefined,
    step,
    goTo,
    target: here && { row: rowOfNumber(rows, here.number), at: here.at },
    onKey(event) {
      if (event.ctrlKey || event.metaKey || event.altKey || event.nativeEvent.isComposing) return
      if (event.key === 'End') setFollowing(true)
      else if (event.key === 'n' || event.key === 'N') step(event.shiftKey ? -1 : 1)
    },
  }
}

/** The match beside a line; without one, the newest. Pure. */
function nextMatch(matches: readonly Line[], from: number | undefined, by: 1 | -1): Line | undefined {
  if (matches.length === 0) return undefined
  if (from === undefined) return matches.at(-1)
  const at = rowOfNumber(matches, from)
  const isAt = matches[at]?.number === from
  const next = by === 1 ? (isAt ? at + 1 : at) : at - 1
  return matches.at(next % matches.length)
}
