import { randomInt } from 'node:crypto'

import { MINUTE_MS, SECOND_MS } from '@slipway/kit'

export const DEVICE_PREFIX = 'slpd_'
export const DEVICE_MS = 10 * MINUTE_MS
export const INTERVAL_SECONDS = 5
/** RFC 8628, 3.5: whoever asks too soon waits this much longer from then on. */
const SLOWER_SECONDS = 5
/** A network that is late once is not somebody who asks too soon. */
const EARLY_MS = SECOND_MS
/** Sign-ins that wait at once, in the whole installation: they are started by anybody. */
export const WAITING_MAX = 2_000
/** Starts per minute from one address. */
export const STARTS_PER_MINUTE = 10
/** Codes that one account may look up or decide on per minute, so that codes of others cannot be guessed. */
export const LOOKUPS_PER_MINUTE = 20

export type Device = {
  readonly deviceHash: string
  readonly userCode: string
  /** What the program says of itself. */
  readonly client: string
  readonly address: string
  readonly state: 'pending' | 'approved' | 'denied'
  /** Who decided. */
  readonly userId: string | null
  readonly intervalSeconds: number
  readonly polledAt: Date | null
  readonly createdAt: Date
  readonly expiresAt: Date
}

const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ'

/** A code of 20^8 (RFC 8628, 6.1): with the limits on lookups nobody guesses one that waits. */
export function newUserCode(): string {
  const letters = Array.from({ length: 8 }, () => LETTERS.charAt(randomInt(LETTERS.length))).join('')
  return `${letters.slice(0, 4)}-${letters.slice(4)}`
}

/** What a program that asks at `now` is told, while its person has not decided. */
export function paceOf(
  device: Device,
  now: Date,
): { readonly tooSoon: boolean; readonly intervalSeconds: number } {
  const { polledAt, intervalSeconds } = device
  const nextMs = polledAt === null ? -Infinity : polledAt.getTime() + intervalSeconds * SECOND_MS - EARLY_MS
  const tooSoon = now.getTime() < nextMs
  return {
    tooSoon,
    intervalSeconds: tooSoon ? Math.min(intervalSeconds + SLOWER_SECONDS, 60) : intervalSeconds,
  }
}
