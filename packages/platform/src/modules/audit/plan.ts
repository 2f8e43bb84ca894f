import { createHash } from 'node:crypto'

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
