import { memo } from 'react'

import { nameOfInstance, shortName } from '../../objects/instance-name.ts'
import { useFormat } from '../../preferences/format.ts'
import { useText } from '../../preferences/text.ts'
import type { Line } from './buffer.ts'
import { LogText } from './log-text.tsx'
import { isLine, type LogView } from './view.ts'

type RowProps = {
  readonly line: Line
  readonly view: LogView
  /** The match one is at. */
  readonly isHere: boolean
  readonly isWhole: boolean
  /** The same object as long as the list is. */
  readonly actions: RowActions
}

export type RowActions = {
  readonly showWhole: (line: Line) => void
  readonly link: (line: Line) => void
}

const SOURCE_LOOKS = 6

/** One line: when, from which Instance, what. The time makes a link to the line, with what stands around it. */
export const LineRow = memo(function LineRow({ line, view, isHere, isWhole, actions }: RowProps) {
  const { text } = useText()
  const format = useFormat()
  const isLinked = view.line !== undefined && isLine(view.line, line)
  const names = ['line-row', ...(isLinked ? ['is-linked'] : []), ...(isHere ? ['is-here'] : [])]
  return (
    <div className={names.join(' ')}>
      {view.hasTimes && (
        <button
          type="button"
          className="line-time"
          tabIndex={-1}
          title={`${format.absolute(line.at)} · ${text('log.link')}`}
          onClick={() => actions.link(line)}
        >
          {format.clockTime(line.at)}.{milliseconds(line.at)}
        </button>
      )}
      <span className={`line-source source-${lookOf(line.instance)}`} title={nameOfInstance(line.instance)}>
        {shortName(line.instance)}
      </span>
      <LogText
        value={line.text}
        isCut={line.cut === true}
        isWhole={isWhole}
        find={view.find}
        showWhole={() => actions.showWhole(line)}
      />
    </div>
  )
})

function milliseconds(at: string): string {
  return (/\.(\d{1,3})/u.exec(at)?.[1] ?? '').padEnd(3, '0')
}

/** The same Instance has the same colour everywhere; the name beside it is what tells it for sure. */
function lookOf(instance: string): number {
  let sum = 0
  for (const character of instance) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 65_521
  return sum % SOURCE_LOOKS
}
