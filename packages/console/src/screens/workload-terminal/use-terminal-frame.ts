import { useEffect, useRef, useState, type RefObject } from 'react'

import { useText } from '../../preferences/text.ts'
import { useTheme } from '../../preferences/theme.ts'
import { hearFrame, tell, type FromFrame, type TerminalLook, type ToFrame } from '../../terminal/messages.ts'

/** How the terminal's connection is. */
export type TerminalState =
  | { readonly kind: 'idle' }
  | Extract<FromFrame, { kind: 'opening' | 'open' | 'lost' | 'closed' | 'ended' | 'refused' }>

type Place = { readonly instance: string; readonly container: string | undefined }
type FrameOptions = { readonly look: Omit<TerminalLook, 'theme'>; readonly leave: () => void }

export type TerminalFrame = {
  readonly frame: RefObject<HTMLIFrameElement | null>
  readonly isReady: boolean
  readonly state: TerminalState
  readonly open: (place: Place) => void
  readonly close: () => void
  /** Several lines that wait for a yes. */
  readonly pasted: string | undefined
  readonly paste: (isWanted: boolean) => void
}

/** The page's end of the talk with the terminal's frame. */
export function useTerminalFrame({ look, leave }: FrameOptions): TerminalFrame {
  const { text } = useText()
  const theme = useTheme()
  const frame = useRef<HTMLIFrameElement>(null)
  const [isReady, setReady] = useState(false)
  const [state, setState] = useState<TerminalState>({ kind: 'idle' })
  const [pasted, setPasted] = useState<string>()
  const latest = useRef(leave)
  latest.current = leave

  const say = (message: ToFrame): void => {
    const page = frame.current?.contentWindow
    if (page) tell(page, message)
  }
  useEffect(
    () =>
      hearFrame(
        () => frame.current?.contentWindow,
        (message) => {
          if (message.kind === 'ready') setReady(true)
          else if (message.kind === 'paste') setPasted(message.text)
          else if (message.kind === 'leave') latest.current()
          else setState(message)
        },
      ),
    [],
  )
  const { language, label, isForReaders } = look
  useEffect(() => {
    if (isReady) say({ kind: 'look', look: { theme, language, label, isForReaders } })
  }, [isReady, theme, language, label, isForReaders])
  return {
    frame,
    isReady,
    state,
    open: (place) =>
      say({ kind: 'open', ...place, again: state.kind === 'idle' ? '' : `── ${text('terminal.again')} ──` }),
    close: () => say({ kind: 'close' }),
    pasted,
    paste(isWanted) {
      if (isWanted && pasted !== undefined) say({ kind: 'paste', text: pasted })
      setPasted(undefined)
      say({ kind: 'focus' })
    },
  }
}
