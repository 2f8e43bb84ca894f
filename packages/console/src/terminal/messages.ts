import { isRecord } from '@slipway/kit'

/*
 * What the page of a terminal and its frame tell each other. The frame is a page of its own because the terminal writes styles
 * of its own, which the policy of the console's pages stops; both are of the same origin and take messages from nobody else.
 */

/** How the terminal looks and is read. */
export type TerminalLook = {
  readonly theme: 'light' | 'dark'
  readonly language: string
  readonly label: string
  readonly isForReaders: boolean
}

export type ToFrame =
  | { readonly kind: 'look'; readonly look: TerminalLook }
  | {
      readonly kind: 'open'
      readonly instance: string
      readonly container: string | undefined
      readonly again: string
    }
  | { readonly kind: 'close' }
  | { readonly kind: 'focus' }
  | { readonly kind: 'paste'; readonly text: string }

/** A refusal, in pieces that travel between pages. */
export type Refused = {
  readonly code: string
  readonly status: number
  readonly message: string
  readonly requestId: string
  readonly params: Readonly<Record<string, string | number | boolean>>
}

export type FromFrame =
  | { readonly kind: 'ready' }
  | { readonly kind: 'opening' }
  | { readonly kind: 'open' }
  | { readonly kind: 'lost' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'ended'; readonly exitCode: number }
  | { readonly kind: 'refused'; readonly refused: Refused }
  /** Several lines were pasted; nothing is sent before they come back. */
  | { readonly kind: 'paste'; readonly text: string }
  /** The keyboard leaves the terminal. */
  | { readonly kind: 'leave' }

/** Tells another page of this origin. */
export function tell(page: Window, message: ToFrame | FromFrame): void {
  page.postMessage(message, window.location.origin)
}

/** Hears what the page around this frame says, and nobody else. @returns ends it */
export function hearPage(take: (message: ToFrame) => void): () => void {
  // Only our own two pages send to each other, and both are made from these types.
  return hear(
    () => window.parent,
    (message) => take(message as ToFrame),
  )
}

/** Hears what a frame of this page says, and nobody else. @returns ends it */
export function hearFrame(
  frame: () => Window | null | undefined,
  take: (message: FromFrame) => void,
): () => void {
  return hear(frame, (message) => take(message as FromFrame))
}

function hear(from: () => Window | null | undefined, take: (message: unknown) => void): () => void {
  const onMessage = (event: MessageEvent<unknown>): void => {
    if (event.origin !== window.location.origin || event.source !== from()) return
    if (isRecord(event.data) && typeof event.data['kind'] === 'string') take(event.data)
  }
  window.addEventListener('message', onMessage)
  return () => window.removeEventListener('message', onMessage)
}
