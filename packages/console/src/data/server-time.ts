import { SECOND_MS, systemClock } from '@slipway/kit'

import { signalStore } from './store.ts'

/*
 * Times come from the server, so "two minutes ago" is counted from the server's present, whatever the clock of this computer
 * says. Every answer carries the server's time in whole seconds; one that was long on its way says nothing about it.
 */

const NEAR_MS = 5 * SECOND_MS
const PROMPT_MS = 2 * SECOND_MS

/** By how much the clock of this computer is behind the server's; differences that do not matter count as none. */
export const behindMs = signalStore(0)

/** What an answer tells about the server's clock: by how much ours is behind it; undefined where it tells nothing. Pure. */
export function behindOf(date: string | null, askedMs: number, answeredMs: number): number | undefined {
  const serverMs = date === null ? Number.NaN : Date.parse(date)
  if (Number.isNaN(serverMs) || answeredMs - askedMs > PROMPT_MS || answeredMs < askedMs) return undefined
  const difference = serverMs - answeredMs
  return Math.abs(difference) < NEAR_MS ? 0 : difference
}

/** Asks as the browser does, and looks at what time it is there. */
export async function fetchWithTime(...request: Parameters<typeof fetch>): Promise<Response> {
  const askedMs = systemClock.now().getTime()
  const response = await fetch(...request)
  const behind = behindOf(response.headers.get('date'), askedMs, systemClock.now().getTime())
  // A difference of a second or two is what whole seconds and the way make of the same one.
  if (behind !== undefined && (behind === 0 || Math.abs(behind - behindMs.get()) >= NEAR_MS))
    behindMs.set(behind)
  return response
}

/** The present by the server's clock, as far as it is known. */
export function serverNow(): Date {
  return new Date(systemClock.now().getTime() + behindMs.get())
}
