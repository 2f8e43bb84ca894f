import { useVirtualizer } from '@tanstack/react-virtual'
import { Switch } from 'antd'
import { useEffect, useRef, useState, type ReactNode } from 'react'

import { useFormat } from '../../preferences/format.ts'
import { useText } from '../../preferences/text.ts'
import { LinePieces } from './line-pieces.tsx'

export type LogRow = {
  readonly at: string
  readonly text: string
  /** Who wrote it, where several do. */
  readonly source?: string
}

type LogProps = {
  readonly label: string
  readonly rows: readonly LogRow[]
  /** Lines before the first row that are no longer held. */
  readonly droppedCount?: number
  readonly actions?: ReactNode
}

const LINE_PX = 19
/** Characters of a line that are shown; the download has all of it. */
const SHOWN_MAX = 4_000
const OVERSCAN_LINES = 20

/**
 * Lines of a log, of which only those in sight are in the page. It follows the end until somebody scrolls away from it, and
 * again when they come back. Nothing is read aloud as it comes: a reader goes through the lines.
 */
export function LogView({ label, rows, droppedCount = 0, actions }: LogProps) {
  const { text } = useText()
  const format = useFormat()
  const scroller = useRef<HTMLDivElement>(null)
  const [isFollowing, setFollowing] = useState(true)
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_PX,
    overscan: OVERSCAN_LINES,
  })
  useEffect(() => {
    const element = scroller.current
    if (isFollowing && element) element.scrollTop = element.scrollHeight
  }, [isFollowing, rows.length])
  const onScroll = (): void => {
    const element = scroller.current
    if (element) setFollowing(element.scrollHeight - element.scrollTop - element.clientHeight < 2 * LINE_PX)
  }
  return (
    <div className="log">
      <div className="log-bar">
        <label className="switch-inline">
          <Switch
            size="small"
            checked={isFollowing}
            onChange={setFollowing}
            aria-label={text('build.follow')}
          />
          {text('build.follow')}
        </label>
        {droppedCount > 0 && <small>{text('build.logCut', { count: rows.length })}</small>}
        <div className="page-actions">{actions}</div>
      </div>
      <div
        ref={scroller}
        className="log-scroll"
        role="log"
        aria-live="off"
        aria-label={label}
        tabIndex={0}
        onScroll={onScroll}
      >
        {rows.length === 0 && <p className="log-empty">{text('build.logEmpty')}</p>}
        <div className="log-body" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start, key }) => {
            const row = rows[index]
            return row === undefined ? null : (
              <div key={key} className="log-line" style={{ transform: `translateY(${start}px)` }}>
                <time dateTime={row.at} title={format.absolute(row.at)}>
                  {format.clockTime(row.at)}
                </time>
                {row.source !== undefined && <span className="log-source">{row.source}</span>}
                <span className="log-text">
                  <LinePieces value={row.text} lengthMax={SHOWN_MAX} />
                  {row.text.length > SHOWN_MAX && '…'}
                </span>
              </div>
            )
          })}
        </div>
      </div>
    </div>
  )
}
