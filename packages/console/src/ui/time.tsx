import { systemClock, SECOND_MS } from '@slipway/kit'

import { behindMs } from '../data/server-time.ts'
import { signalStore } from '../data/store.ts'
import { useFormat } from '../preferences/format.ts'

const STEP_MS = 5 * SECOND_MS
const now = signalStore(systemClock.now())
systemClock.every(STEP_MS, () => now.set(systemClock.now()))

/** A time that every relative time on the page is measured from, by the server's clock; it moves every few seconds. */
export function useNow(): Date {
  return new Date(now.use().getTime() + behindMs.use())
}

/** A moment, relative to now; the exact one stands in its title. */
export function Time({ at }: { readonly at: string }) {
  const format = useFormat()
  return (
    <time dateTime={at} title={format.absolute(at)}>
      {format.relative(at, useNow())}
    </time>
  )
}

/** How long something took, or has taken so far. */
export function Duration({ from, until }: { readonly from: string; readonly until: string | null }) {
  const format = useFormat()
  const present = useNow()
  const end = until === null ? present.getTime() : new Date(until).getTime()
  return <span className="number">{format.duration(Math.max(0, end - new Date(from).getTime()))}</span>
}
