import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

import { canonicalJson } from '@slipway/kit'

import type { AuditRecord, ChainedEvent } from './model.ts'

/** What the first event of a chain follows. */
export const FIRST_HASH = '0'.repeat(64)

/**
 * Hash of an event: SHA-256 over the hash before it and the canonical JSON of everything it says.
 * Whoever changes, drops, inserts or reorders an event has to recompute every later one.
 */
export function hashOf(previousHash: string, sequence: number, record: AuditRecord): string {
  return createHash('sha256')
    .update(previousHash)
    .update('\n')
    .update(canonicalJson({ ...record, at: record.at.toISOString(), sequence }))
    .digest('hex')
}

/** What a chain ends with. */
export type Head = { readonly sequence: number; readonly hash: string; readonly seal: string }

/**
 * Seal of a chain's head: HMAC-SHA-256 under a key that the database never sees. A head commits to everything before it, so
 * who rewrites the rows, or cuts them off and sets the head back, needs a seal that only the platform can make.
 */
export function sealOf(key: Uint8Array, chain: string, { sequence, hash }: Omit<Head, 'seal'>): string {
  return createHmac('sha256', key).update(`${chain}\n${sequence}\n${hash}`).digest('hex')
}

export function isSealed(key: Uint8Array, chain: string, head: Head): boolean {
  // Nothing was recorded yet, so there is nothing to seal.
  if (head.sequence === 0) return head.hash === FIRST_HASH
  const expected = Buffer.from(sealOf(key, chain, head))
  const given = Buffer.from(head.seal)
  return given.length === expected.length && timingSafeEqual(given, expected)
}

export type Verification = {
  readonly events: number
  readonly brokenAt: number | null
  readonly headHash: string
}

/** Continues a verification over the next events of a chain, in order. */
export function verifyEvents(start: Verification, events: readonly ChainedEvent[]): Verification {
  let { events: count, headHash } = start
  for (const event of events) {
    const { sequence, previousHash, hash, ...record } = event
    const expected = hashOf(headHash, count + 1, record)
    if (sequence !== count + 1 || previousHash !== headHash || hash !== expected)
      return { events: count, brokenAt: count + 1, headHash }
    count += 1
    headHash = hash
  }
  return { events: count, brokenAt: null, headHash }
}
