/*
 * The lines of a log in memory, and those of them that contain a text. Lines have numbers that never change, so a line can be
 * pointed at while older ones are dropped. Nothing is copied when lines are added: 200,000 of them stay usable.
 */
import type { LogLine } from '@slipway/contract'

import { bareText } from '../../ui/log/ansi.ts'

export type Line = LogLine & {
  /** Counts up from 0 in the order of arrival. */
  readonly number: number
}

/** Lines that are held at most; of more, the newest. */
const LINES_MAX = 200_000
/** Characters that are held at most, whatever their lines. */
const LENGTH_MAX = 100_000_000
/** Lines are dropped so many at once, because dropping moves all others. */
const DROP_AT_ONCE = 20_000

export type Limits = { readonly lines: number; readonly length: number; readonly atOnce: number }

export type LogBuffer = {
  /** All that are held, oldest first. */
  readonly lines: readonly Line[]
  /** Those that contain the text that is looked for, oldest first; empty while none is. */
  readonly matches: readonly Line[]
  /** How many were dropped from the beginning of each. */
  readonly dropped: () => { readonly lines: number; readonly matches: number }
  /** Rises with every change. */
  readonly version: () => number
  readonly add: (lines: readonly LogLine[]) => void
  /** Looks for a text in any case; an empty one matches nothing. */
  readonly find: (text: string) => void
  readonly clear: () => void
}

export function logBuffer(
  limits: Limits = { lines: LINES_MAX, length: LENGTH_MAX, atOnce: DROP_AT_ONCE },
): LogBuffer {
  const lines: Line[] = []
  const matches: Line[] = []
  const state = { next: 0, length: 0, droppedLines: 0, droppedMatches: 0, version: 0, sought: finderOf('') }

  function drop(count: number): void {
    const gone = lines.splice(0, count)
    for (const { text } of gone) state.length -= text.length
    state.droppedLines += gone.length
    const first = lines[0]?.number ?? state.next
    const kept = matches.findIndex(({ number }) => number >= first)
    state.droppedMatches += matches.splice(0, kept === -1 ? matches.length : kept).length
  }
  return {
    lines,
    matches,
    dropped: () => ({ lines: state.droppedLines, matches: state.droppedMatches }),
    version: () => state.version,
    add(added) {
      for (const one of added) {
        const line: Line = { ...one, number: state.next }
        state.next += 1
        state.length += line.text.length
        lines.push(line)
        if (state.sought?.(line.text) === true) matches.push(line)
      }
      while (lines.length > limits.lines + limits.atOnce || state.length > limits.length * 1.1)
        drop(Math.min(limits.atOnce, Math.max(1, lines.length - 1)))
      state.version += 1
    },
    find(text) {
      state.sought = finderOf(text)
      matches.length = 0
      state.droppedMatches = 0
      for (const line of lines) if (state.sought?.(line.text) === true) matches.push(line)
      state.version += 1
    },
    clear() {
      lines.length = 0
      matches.length = 0
      state.length = 0
      state.droppedLines = 0
      state.droppedMatches = 0
      state.version += 1
    },
  }
}

type Finder = (text: string) => boolean

function finderOf(text: string): Finder | undefined {
  const pattern = patternOf(text, 'iu')
  return pattern && ((line) => pattern.test(bareText(line)))
}

/** A pattern for a text taken literally, in any case. Undefined for an empty text. Pure. */
export function patternOf(text: string, flags: string): RegExp | undefined {
  return text === '' ? undefined : new RegExp(text.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, '\\$&'), flags)
}

/** The row of a line among rows in the order of their numbers, or where it would be. Pure. */
export function rowOfNumber(rows: readonly Line[], number: number): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if ((rows[middle]?.number ?? 0) < number) low = middle + 1
    else high = middle
  }
  return low
}
