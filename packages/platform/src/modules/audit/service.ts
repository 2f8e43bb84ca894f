import type { Db } from '../../tables.ts'
import type { AuditRecord } from './model.ts'
import { FIRST_HASH, hashOf, verifyEvents, type Verification } from './plan.ts'
import * as queries from './queries.ts'

const VERIFY_BATCH = 1_000

/**
 * Appends an event to its chain, as the last thing a transaction does: the chain stays locked until the commit.
 * If it cannot be written the transaction fails, and with it what it would have recorded.
 */
export async function appendEvent(db: Db, record: AuditRecord): Promise<void> {
  const head = await queries.lockHead(db, record.chain)
  const sequence = head.sequence + 1
  const kept: AuditRecord = {
    ...record,
    detail: JSON.parse(JSON.stringify(record.detail)) as AuditRecord['detail'],
  }
  await queries.append(db, {
    ...kept,
    sequence,
    previousHash: head.hash,
    hash: hashOf(head.hash, sequence, kept),
  })
}

/** Recomputes a chain from its first event and compares its end with the recorded head, so that a cut tail shows too. */
export async function verifyChain(db: Db, chain: string): Promise<Verification> {
  const head = await queries.findHead(db, chain)
  let state: Verification = { events: 0, brokenAt: null, headHash: FIRST_HASH }
  for (;;) {
    const events = await queries.eventsAfter(db, chain, state.events, VERIFY_BATCH)
    state = verifyEvents(state, events)
    if (state.brokenAt !== null) return state
    if (events.length < VERIFY_BATCH) break
  }
  const expected = head ?? { sequence: 0, hash: FIRST_HASH }
  const whole = state.events === expected.sequence && state.headHash === expected.hash
  return whole ? state : { ...state, brokenAt: state.events + 1 }
}
