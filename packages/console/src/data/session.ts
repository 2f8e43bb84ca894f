import { ApiError } from '@slipway/sdk'

import { signalStore } from './store.ts'

/** True when the server no longer knows the session of this page; a dialog then asks to sign in, over whatever is open. */
export const sessionEnded = signalStore(false)

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
