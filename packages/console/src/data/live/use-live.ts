import { useEffect } from 'react'

import { systemClock } from '@slipway/kit'

import { api } from '../client.ts'
import { cache, noticeFailure } from '../queries.ts'
import { SIGNED_OUT, type ToTab } from './hub.ts'
import { listenToChanges } from './live.ts'
import { refresherOf } from './refresh.ts'
import { isMadeOf, isTouched } from './told.ts'

const refresher = refresherOf(cache, systemClock, () => document.visibilityState === 'visible')
let isListening = false

/** From when somebody is signed in, whatever this page shows is asked for again as soon as it changes. */
export function useLiveChanges(isSignedIn: boolean): void {
  useEffect(() => {
    if (!isSignedIn || isListening) return
    isListening = true
    listenToChanges(take)
  }, [isSignedIn])
}

function take(message: ToTab): void {
  switch (message.kind) {
    case 'change':
      refresher.mark(({ queryKey }) => isTouched(queryKey, message.change))
      break
    case 'reset':
      refresher.mark(({ queryKey }) => isMadeOf(queryKey, message.types))
      break
    case 'state':
      // What was read before anything was told may be old already.
      if (message.isLive) refresher.mark(() => true)
      else void lookAround()
      break
    case 'refused':
      if (SIGNED_OUT.has(message.code)) void api.whoami({}).catch(noticeFailure)
  }
}

/** Finds out whether the server is away as a whole, or only the stream. */
async function lookAround(): Promise<void> {
  await api.getHealth({}, { timeoutMs: 4_000 }).catch(noticeFailure)
}
