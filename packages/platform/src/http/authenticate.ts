import type { IncomingHttpHeaders } from 'node:http'

import { RATE_LIMITS, type RateClass } from '@slipway/contract'
import { MINUTE_MS } from '@slipway/kit'

import type { Account, Platform } from '../context.ts'
import { loadAccess, noAccess } from '../modules/access/index.ts'
import { findCaller } from '../modules/identity/index.ts'
import { cookieNameOf, isSameOrigin } from './browser.ts'
import { httpErrors } from './errors.ts'
import { countHit } from './queries.ts'

const anonymous: Account = { id: 'anonymous', name: 'anonymous', via: 'none', proof: '', access: noAccess }

/** A secret as the request carries it, and whether a browser added it on its own. */
export type Presented = { readonly secret: string; readonly byCookie: boolean } | undefined

/** The bearer secret, or else the session cookie. */
export function presentedOf(platform: Platform, headers: IncomingHttpHeaders): Presented {
  const bearer = /^Bearer ([\x21-\x7e]{1,512})$/iu.exec(headers.authorization ?? '')?.[1]
  if (bearer !== undefined) return { secret: bearer, byCookie: false }
  const name = cookieNameOf(platform.settings)
  for (const part of (headers.cookie ?? '').split(';')) {
    const [key, value] = part.trim().split('=', 2)
    if (key === name && value !== undefined && value !== '') return { secret: value, byCookie: true }
  }
  return undefined
}

export type Entry = {
  readonly presented: Presented
  readonly headers: IncomingHttpHeaders
  readonly method: string
  readonly address: string
  readonly rate: RateClass
  readonly needsAccount: boolean
  readonly now: Date
}

/**
 * Finds out who calls, and counts the request against their allowance.
 * @throws {AppError} `not_signed_in`, `session_ended`, `origin_refused`, `rate_limited`
 */
export async function authenticate(platform: Platform, entry: Entry): Promise<Account> {
  const { presented } = entry
  // A browser sends its cookie whoever wrote the page, so a change by cookie must come from our own pages.
  if (
    presented?.byCookie === true &&
    entry.method !== 'GET' &&
    !isSameOrigin(platform.settings, entry.headers)
  )
    throw httpErrors.origin_refused()
  const { account, hits } = await platform.database.transact('none', async (db) => {
    const caller = presented === undefined ? undefined : await findCaller(db, presented.secret, entry.now)
    const found: Account = caller
      ? {
          id: caller.user.id,
          name: caller.user.name,
          via: caller.via,
          proof: caller.proof,
          access: await loadAccess(db, caller.user, caller.within),
        }
      : anonymous
    // Without an account, or for guesses at one, the address counts.
    const key = caller !== undefined && entry.rate !== 'login' ? found.id : entry.address
    return { account: found, hits: await countHit(db, `${entry.rate}:${key}`, minuteOf(entry.now)) }
  })
  if (hits > RATE_LIMITS[entry.rate]) {
    const seconds = secondsLeft(entry.now)
    throw httpErrors.rate_limited({ seconds }, { retryAfterSeconds: seconds })
  }
  if (entry.needsAccount && account.via === 'none')
    throw presented === undefined ? httpErrors.not_signed_in() : httpErrors.session_ended()
  return account
}

/** Whether the account of an open stream may still do what it does. */
export async function authenticateAgain(
  platform: Platform,
  presented: Presented,
  now: Date,
): Promise<Account | undefined> {
  if (presented === undefined) return undefined
  return platform.database.transact('none', async (db) => {
    const caller = await findCaller(db, presented.secret, now)
    if (!caller) return undefined
    const access = await loadAccess(db, caller.user, caller.within)
    return { id: caller.user.id, name: caller.user.name, via: caller.via, proof: caller.proof, access }
  })
}

/** Counts a hit on a key in this minute, in a transaction of its own, so that a refusal does not forget it. */
export async function countOwnHit(
  platform: Platform,
  key: string,
  maxPerMinute: number,
  now: Date,
): Promise<{ allowed: boolean; retryAfterSeconds: number }> {
  const hits = await platform.database.transact('none', (db) => countHit(db, key, minuteOf(now)))
  return { allowed: hits <= maxPerMinute, retryAfterSeconds: secondsLeft(now) }
}

function minuteOf(now: Date): number {
  return Math.floor(now.getTime() / MINUTE_MS)
}

function secondsLeft(now: Date): number {
  return Math.max(1, Math.ceil((MINUTE_MS - (now.getTime() % MINUTE_MS)) / 1_000))
}
