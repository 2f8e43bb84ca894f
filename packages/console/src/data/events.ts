import { useEffect, useRef, useState } from 'react'

import { SECOND_MS, systemClock } from '@slipway/kit'
import type { CallOptions, ServerEvent } from '@slipway/sdk'

import { noticeFailure } from './queries.ts'
import { isUnreachable } from './connection.ts'

const AGAIN_MS = 1.5 * SECOND_MS

type Open = (options: CallOptions) => AsyncIterable<ServerEvent>

/**
 * Follows a stream while the page is looked at, and goes on after the last event whenever the connection was lost. A browser
 * has few connections for one server, so a tab in the background holds none.
 * @param key - what is followed; another one starts anew, undefined follows nothing
 */
export function useEvents(key: string | undefined, open: Open, take: (event: ServerEvent) => void): void {
  const isVisible = useVisibility()
  const latest = useRef({ open, take })
  latest.current = { open, take }
  const last = useRef<{ readonly key: string; readonly id: string | undefined; readonly isOver: boolean }>(
    undefined,
  )
  useEffect(() => {
    if (key === undefined || !isVisible) return
    if (last.current?.key !== key) last.current = { key, id: undefined, isOver: false }
    if (last.current.isOver) return
    const ending = new AbortController()
    void follow(ending.signal)
    return () => ending.abort(new Error('no longer looked at'))

    async function follow(signal: AbortSignal): Promise<void> {
      while (!signal.aborted) {
        try {
          const lastEventId = last.current?.id
          for await (const event of latest.current.open({ signal, lastEventId })) {
            if (signal.aborted) return
            if (event.id !== '' && key !== undefined) last.current = { key, id: event.id, isOver: false }
            latest.current.take(event)
          }
          if (key !== undefined) last.current = { key, id: last.current?.id, isOver: true }
          return
        } catch (thrown) {
          if (signal.aborted) return
          noticeFailure(thrown)
          // What the server refuses is shown by whoever reads the object itself.
          if (!isUnreachable(thrown)) return
          await systemClock.sleep(AGAIN_MS, signal).catch(() => undefined)
        }
      }
    }
  }, [key, isVisible])
}

function useVisibility(): boolean {
  const [isVisible, setVisible] = useState(document.visibilityState === 'visible')
  useEffect(() => {
    const onChange = (): void => setVisible(document.visibilityState === 'visible')
    document.addEventListener('visibilitychange', onChange)
    return () => document.removeEventListener('visibilitychange', onChange)
  }, [])
  return isVisible
}
