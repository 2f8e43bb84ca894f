import { useEffect } from 'react'

import { SECOND_MS, systemClock } from '@slipway/kit'

import { api } from '../data/client.ts'
import { lostSince } from '../data/connection.ts'
import { noticeFailure } from '../data/queries.ts'
import { useFormat } from '../preferences/format.ts'
import { useText } from '../preferences/text.ts'
import { Shape } from '../ui/status.tsx'

const BEAT_MS = 4 * SECOND_MS

/** Asks now and then whether the server is there, so that a page that asks for nothing notices its loss too. */
function useHeartbeat(): void {
  useEffect(() => {
    const beat = systemClock.every(BEAT_MS, () => {
      if (document.visibilityState !== 'visible' || lostSince.get() !== undefined) return
      api.getHealth({}, { timeoutMs: BEAT_MS }).catch(noticeFailure)
    })
    return () => beat[Symbol.dispose]()
  }, [])
}

/** Says calmly that the server is away, since when, and goes by itself. */
export function ConnectionBar() {
  const { text } = useText()
  useHeartbeat()
  const format = useFormat()
  const since = lostSince.use()
  return (
    <div role="status" className={since === undefined ? 'connection' : 'connection is-lost'}>
      {since && (
        <>
          <Shape tone="warn" /> {text('connection.lost', { time: format.clockTime(since) })}
        </>
      )}
    </div>
  )
}
