import { Button } from 'antd'

import { useFormat } from '../../preferences/format.ts'
import { useText } from '../../preferences/text.ts'
import { CopyButton } from '../../ui/copy.tsx'
import { Shape } from '../../ui/status.tsx'
import type { Log } from './use-log.ts'
import { isLine, type LogView } from './view.ts'

type FootProps = { readonly log: Log; readonly view: LogView; readonly clear: () => void }

/** How much of the log is here, and what is missing. */
export function LogFoot({ log, view, clear }: FootProps) {
  const { text } = useText()
  const format = useFormat()
  const { lines } = log.buffer
  const dropped = log.buffer.dropped().lines
  const address = view.line
  const isMissing = address !== undefined && log.isLoaded && !lines.some((line) => isLine(address, line))
  return (
    <div className="log-foot">
      <span>{text('log.held', { count: format.number(lines.length) })}</span>
      {dropped > 0 && <span>{text('log.dropped', { count: format.number(dropped) })}</span>}
      {log.limited && (
        <span>
          <Shape tone="warn" /> {text('log.limited', log.limited)}
        </span>
      )}
      {address && (
        <span role="status">
          {isMissing ? (
            <>
              <Shape tone="warn" /> {text('log.linkGone')}
            </>
          ) : (
            <>
              {text('log.linked')} <CopyButton value={window.location.href} label={text('log.linkCopy')} />
            </>
          )}
          <Button type="link" size="small" onClick={clear}>
            {text('log.linkClear')}
          </Button>
        </span>
      )}
    </div>
  )
}
