import { ApiError } from '@slipway/sdk'

import { signalStore } from './store.ts'

/**
 * Why this page has no session any more; a dialog then asks to sign in, over whatever is open. `signed-out`: somebody left on
 * purpose, in another tab, so nothing of the page is shown meanwhile.
 */
export const sessionEnd = signalStore<'none' | 'ended' | 'signed-out'>('none')

/** What the tabs of a browser tell each other about their one session. */
export type SessionNews =
  | { readonly kind: 'signed-out' }
  | { readonly kind: 'signed-in'; readonly name: string }

const CHANNEL = 'slipway.session'
const channel = new BroadcastChannel(CHANNEL)

export function tellOtherTabs(news: SessionNews): void {
  // A channel reaches this origin only.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  channel.postMessage(news)
}

/** Listens to the other tabs; returns how to stop. */
export function onSessionNews(take: (news: SessionNews) => void): () => void {
  const hear = ({ data }: MessageEvent<SessionNews>): void => take(data)
  channel.addEventListener('message', hear)
  return () => channel.removeEventListener('message', hear)
}

const KEY = 'slipway.signed-in'

/** Whether somebody signed in with this browser before, so that a first visit need not ask in vain. */
export function wasSignedIn(): boolean {
  try {
    return localStorage.getItem(KEY) === 'yes'
  } catch {
    return true // without storage only asking tells
  }
}

export function rememberSignedIn(isSignedIn: boolean): void {
  try {
    if (isSignedIn) localStorage.setItem(KEY, 'yes')
    else localStorage.removeItem(KEY)
  } catch {
    // Without storage the next visit asks the server.
  }
}

export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiError && (error.code === 'not_signed_in' || error.code === 'session_ended')
}
