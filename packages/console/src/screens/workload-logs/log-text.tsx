import { Fragment, type ReactNode } from 'react'

import { useText } from '../../preferences/text.ts'
import { LinePieces } from '../../ui/log/line-pieces.tsx'
import { patternOf } from './buffer.ts'

/** Characters of a line that are shown until somebody asks for the rest. */
const SHOWN_MAX = 4_000

type TextProps = {
  readonly value: string
  readonly isCut: boolean
  readonly isWhole: boolean
  readonly find: string
  readonly showWhole: () => void
}

/** What a line says, with the program's colours and what is looked for marked. */
export function LogText({ value, isCut, isWhole, find, showWhole }: TextProps) {
  const { text } = useText()
  const more = isWhole ? 0 : value.length - SHOWN_MAX
  return (
    <span className="line-text">
      <LinePieces
        value={value}
        lengthMax={isWhole ? Infinity : SHOWN_MAX}
        show={(piece) => marked(piece, find)}
      />
      {more > 0 && (
        <button type="button" className="line-more" onClick={showWhole}>
          {text('log.more', { count: more })}
        </button>
      )}
      {isCut && <span className="line-mark">{text('log.cut')}</span>}
    </span>
  )
}

function marked(text: string, find: string): ReactNode {
  const pattern = patternOf(find, 'giu')
  if (!pattern) return text
  const parts: ReactNode[] = []
  let from = 0
  for (const match of text.matchAll(pattern)) {
    parts.push(text.slice(from, match.index), <mark key={match.index}>{match[0]}</mark>)
    from = match.index + match[0].length
  }
  if (parts.length === 0) return text
  return (
    <>
      {parts.map((part, index) => (
        <Fragment key={index}>{part}</Fragment>
      ))}
      {text.slice(from)}
    </>
  )
}
