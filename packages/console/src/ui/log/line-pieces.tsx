import type { ReactNode } from 'react'

import { piecesOf } from './ansi.ts'
import './looks.css'

type PiecesProps = {
  readonly value: string
  /** Characters that are shown of a longer line. */
  readonly lengthMax: number
  /** How the text of a piece is shown; without it, as it is. */
  readonly show?: (text: string) => ReactNode
}

/** What a line of a log says, with the program's colours, and with what cannot be shown as what it is. */
export function LinePieces({ value, lengthMax, show = (text) => text }: PiecesProps) {
  return piecesOf(value, lengthMax).map(({ text, looks, isMark }, index) => {
    const names = [...looks.map((look) => `look-${look}`), ...(isMark ? ['line-mark'] : [])]
    return (
      <span key={index} className={names.join(' ')}>
        {isMark ? text : show(text)}
      </span>
    )
  })
}
