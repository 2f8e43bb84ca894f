import {
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  type CSSProperties,
  type KeyboardEvent,
  type ReactNode,
} from 'react'

import type { Line } from './buffer.ts'
import { heightsOf, type Heights } from './heights.ts'

/*
 * A list of lines of which only those in sight are in the page. Its own, because rows have different heights when lines are
 * wrapped, several hundred may come within a second, and none that one is reading may move: heights are guessed from lengths,
 * measured once a line is seen, and what changes above the first line in sight moves the scroll bar instead of the text.
 */

type ListProps = {
  readonly label: string
  readonly rows: readonly Line[]
  /** Rows that are no longer held, counted from the same beginning as `epoch`. */
  readonly droppedCount: number
  /** Changes when rows are others than before, not only more or fewer at their ends. */
  readonly epoch: string
  readonly version: number
  readonly isWrapped: boolean
  readonly isFollowing: boolean
  readonly follow: (isFollowing: boolean) => void
  /** A row that is brought into sight whenever `at` changes. */
  readonly target: { readonly row: number; readonly at: number } | undefined
  readonly render: (line: Line) => ReactNode
  readonly onKey: (event: KeyboardEvent<HTMLElement>) => void
  readonly children?: ReactNode
}

const ROW_PX = 19
const OVERSCAN_ROWS = 6
/** Room that time and Instance take beside the text, and how wide a character is; only until a row is measured. */
const BESIDE_PX = 230
const CHARACTER_PX = 7.3
/** How close to the end counts as there. */
const NEAR_PX = 2 * ROW_PX

export function LineList(props: ListProps) {
  const { rows, isWrapped, isFollowing, follow, target } = props
  const scroller = useRef<HTMLDivElement>(null)
  const body = useRef<HTMLDivElement>(null)
  const [{ top, height, width }, setPlace] = useState({ top: 0, height: 600, width: 1_000 })
  const known = useRef<Known>(undefined)
  const ownTop = useRef(0)
  const { heights, gonePx } = syncHeights(known, props, width)

  const first = Math.max(0, heights.indexAt(top) - OVERSCAN_ROWS)
  const last = Math.min(rows.length - 1, heights.indexAt(top + height) + OVERSCAN_ROWS)

  const setTop = (wanted: number): void => {
    const element = scroller.current
    if (!element) return
    element.scrollTop = wanted
    ownTop.current = element.scrollTop
    setPlace((before) => ({ ...before, top: element.scrollTop }))
  }
  // What lies above the first line in sight and has changed its height moves the scroll bar, not the text.
  useLayoutEffect(() => {
    const element = scroller.current
    if (!element) return
    const measured = isWrapped ? measure(heights, body.current, first, heights.indexAt(top)) : unchanged
    if (measured.isChanged) setPlace((before) => ({ ...before }))
    const movedPx = measured.grownPx - gonePx
    if (isFollowing) {
      const end = element.scrollHeight - element.clientHeight
      if (Math.abs(end - element.scrollTop) > 1 || movedPx !== 0) setTop(heights.total())
    } else if (movedPx !== 0) setTop(element.scrollTop + movedPx)
  })
  useEffect(() => {
    const element = scroller.current
    if (!target || !element) return
    const rowTop = heights.topOf(target.row)
    const isInSight =
      rowTop >= element.scrollTop && rowTop + ROW_PX <= element.scrollTop + element.clientHeight
    if (!isInSight) setTop(Math.max(0, rowTop - (element.clientHeight - ROW_PX) / 2))
  }, [target?.at])
  useEffect(() => {
    const element = scroller.current
    if (!element) return
    const observer = new ResizeObserver(() =>
      setPlace((before) => ({ ...before, height: element.clientHeight, width: element.clientWidth })),
    )
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  const onScroll = (): void => {
    const element = scroller.current
    if (!element) return
    const isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX
    // Only a person moves otherwise than the list itself did; that it has grown meanwhile is no reason to stop following it.
    if (isAtEnd && element.scrollTop > ownTop.current + 1) follow(true)
    else if (element.scrollTop < ownTop.current - 1) follow(false)
    ownTop.current = element.scrollTop
    setPlace((before) => ({ ...before, top: element.scrollTop }))
  }
  const style = { height: heights.total() } satisfies CSSProperties
  return (
    <div
      ref={scroller}
      className={isWrapped ? 'lines is-wrapped' : 'lines'}
      role="log"
      // Nothing is read aloud as it comes: a reader goes through the lines.
      aria-live="off"
      aria-label={props.label}
      tabIndex={0}
      onScroll={onScroll}
      onKeyDown={props.onKey}
    >
      {props.children}
      <div className="lines-body" style={style}>
        <div
          ref={body}
          className="lines-shown"
          style={{ transform: `translateY(${heights.topOf(first)}px)` }}
        >
          {rows.slice(first, last + 1).map((line) => (
            <div key={line.number} className="line">
              {props.render(line)}
            </div>
          ))}
        </div>
      </div>
    </div>
  )
}

type Known = {
  readonly heights: Heights
  readonly epoch: string
  readonly layout: string
  dropped: number
}
type Synced = { readonly heights: Heights; readonly gonePx: number }

/** Brings the heights up to the rows. @returns how much of them has gone at the beginning */
function syncHeights(known: { current: Known | undefined }, props: ListProps, widthPx: number): Synced {
  const { rows, epoch, droppedCount, isWrapped } = props
  const layout = isWrapped ? `wrapped ${Math.round(widthPx)}` : 'lines'
  let current = known.current
  if (current?.epoch !== epoch || current.layout !== layout || current.dropped > droppedCount) {
    current = { heights: heightsOf(), epoch, layout, dropped: droppedCount }
    known.current = current
  }
  const gone = droppedCount - current.dropped
  const gonePx = gone === 0 ? 0 : current.heights.topOf(gone)
  if (gone > 0) current.heights.dropFirst(gone)
  current.dropped = droppedCount
  for (let index = current.heights.count(); index < rows.length; index += 1)
    current.heights.append(isWrapped ? guessOf(rows[index]?.text.length ?? 0, widthPx) : ROW_PX)
  return { heights: current.heights, gonePx }
}

function guessOf(length: number, widthPx: number): number {
  const columns = Math.max(20, Math.floor((widthPx - BESIDE_PX) / CHARACTER_PX))
  return ROW_PX * Math.max(1, Math.ceil(Math.min(length, 4_000) / columns))
}

type Measured = { readonly isChanged: boolean; readonly grownPx: number }
const unchanged: Measured = { isChanged: false, grownPx: 0 }

/** Takes over the real heights of what is in the page. @returns by how much the rows before `reading` have grown */
function measure(heights: Heights, body: HTMLElement | null, first: number, reading: number): Measured {
  let grownPx = 0
  let isChanged = false
  for (const [offset, element] of [...(body?.children ?? [])].entries()) {
    const index = first + offset
    const { height } = element.getBoundingClientRect()
    const before = heights.heightOf(index)
    if (height === 0 || Math.abs(height - before) < 0.5) continue
    heights.set(index, height)
    isChanged = true
    if (index < reading) grownPx += height - before
  }
  return { isChanged, grownPx }
}
