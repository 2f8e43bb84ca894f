import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'

import type { LogLine } from '@slipway/contract'
import { isRecord } from '@slipway/kit'
import type { CallOptions, ServerEvent } from '@slipway/sdk'

import { api } from '../../data/client.ts'
import { isUnreachable } from '../../data/connection.ts'
import { useEvents } from '../../data/events.ts'
import { serverNow } from '../../data/server-time.ts'
import { isSignedOut } from '../../data/session.ts'
import { logBuffer, type LogBuffer } from './buffer.ts'
import { requestOf, type LogView } from './view.ts'

export type Log = {
  readonly buffer: LogBuffer
  /** Rises when the buffer has changed, at most once a frame. */
  readonly version: number
  /** Another one when the lines are those of another request. */
  readonly epoch: string
  /** Everything that was there at the beginning has come. */
  readonly isLoaded: boolean
  /** Of so many Instances only so many are shown. */
  readonly limited: { readonly shown: number; readonly of: number } | undefined
  readonly error: unknown
  /** Goes on behind the last line after an error. */
  readonly retry: () => void
}

type State = Pick<Log, 'isLoaded' | 'limited' | 'error'>
const beginning: State = { isLoaded: false, limited: undefined, error: undefined }

/** Follows the merged log of a Workload's Instances; it goes on where it was after every loss of the server. */
export function useLog(workload: string, view: LogView): Log {
  const [buffer] = useState(() => logBuffer())
  const frames = useFrames()
  const [state, setState] = useState(beginning)
  const [attempt, setAttempt] = useState(0)
  const last = useRef<string>(undefined)
  const { span, instance, process, isPrevious } = view
  // A link decides where the log begins when the page is opened; one that is made here only marks its line.
  const [line] = useState(view.line)
  const key = JSON.stringify([workload, span, instance, process, isPrevious])
  // The time from which on lines are shown is that of the first request; a resumed one repeats it.
  const request = useMemo(() => requestOf(workload, { ...view, line }, serverNow()), [key])
  useEffect(() => {
    buffer.clear()
    last.current = undefined
    setState(beginning)
    frames.request()
  }, [key, buffer, frames])

  async function* open(options: CallOptions): AsyncGenerator<ServerEvent> {
    try {
      const lastEventId = options.lastEventId ?? last.current
      for await (const event of api.followLogs(request, { ...options, lastEventId })) {
        if (event.id !== '') last.current = event.id
        yield event
      }
      setState((before) => ({ ...before, isLoaded: true }))
    } catch (thrown) {
      const isAnswered = options.signal?.aborted !== true && !isUnreachable(thrown) && !isSignedOut(thrown)
      if (isAnswered) setState((before) => ({ ...before, error: thrown }))
      throw thrown
    }
  }

  useEvents(`${key} ${attempt}`, open, ({ name, data }) => {
    if (name === 'limited' && isRecord(data)) {
      const { shown, of } = data
      setState((before) => ({ ...before, limited: { shown: Number(shown), of: Number(of) } }))
    } else if (name === 'position') setState((before) => ({ ...before, isLoaded: true }))
    else if (name === 'lines' && Array.isArray(data)) {
      // The contract says what this event carries.
      buffer.add(data as readonly LogLine[])
      frames.request()
    }
  })
  useSyncExternalStore(frames.subscribe, frames.count)
  return {
    ...state,
    buffer,
    epoch: key,
    version: buffer.version(),
    retry() {
      setState((before) => ({ ...before, error: undefined }))
      setAttempt(attempt + 1)
    },
  }
}

type Frames = {
  readonly request: () => void
  readonly count: () => number
  readonly subscribe: (listener: () => void) => () => void
}

/** Tells listeners at most once for each picture that the browser draws. */
function useFrames(): Frames {
  return useState(() => {
    const listeners = new Set<() => void>()
    const state = { count: 0, isAsked: false }
    return {
      request() {
        if (state.isAsked) return
        state.isAsked = true
        requestAnimationFrame(() => {
          state.isAsked = false
          state.count += 1
          for (const listener of listeners) listener()
        })
      },
      count: () => state.count,
      subscribe(listener: () => void) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    }
  })[0]
}
