import { useEffect, useRef, useState } from 'react'

import type { LogRow } from './log-view.tsx'

/** Lines that are held at most; of more, the newest. */
const LINES_MAX = 100_000

type Lines = { readonly rows: readonly LogRow[]; readonly droppedCount: number }

/** Collects lines as they come and shows them a frame at a time, however many there are. @param key - starts anew when it changes */
export function useLines(key: string): Lines & { readonly add: (rows: readonly LogRow[]) => void } {
  const [lines, setLines] = useState<Lines>({ rows: [], droppedCount: 0 })
  const waiting = useRef<LogRow[]>([])
  const frame = useRef<number>(undefined)
  useEffect(() => {
    setLines({ rows: [], droppedCount: 0 })
    return () => {
      waiting.current = []
      if (frame.current !== undefined) cancelAnimationFrame(frame.current)
      frame.current = undefined
    }
  }, [key])
  const flush = (): void => {
    frame.current = undefined
    const added = waiting.current
    waiting.current = []
    setLines((before) => {
      const all = [...before.rows, ...added]
      const surplus = Math.max(0, all.length - LINES_MAX)
      return { rows: surplus === 0 ? all : all.slice(surplus), droppedCount: before.droppedCount + surplus }
    })
  }
  return {
    ...lines,
    add(rows) {
      for (const row of rows) waiting.current.push(row)
      frame.current ??= requestAnimationFrame(flush)
    },
  }
}
