import type { Platform } from '../../context.ts'
import type { Db } from '../../tables.ts'
import { INSTALLATION_CHAIN, type AuditRecord } from './model.ts'
import { FIRST_HASH, hashOf, isSealed, sealOf, verifyEvents, type Verification } from './plan.ts'
import * as queries from './queries.ts'

const VERIFY_BATCH = 1_000

type Sealing = Pick<Platform, 'envelope'>

function keyOf({ envelope }: Sealing): Buffer {
  return envelope.deriveKey('audit')
}

/**
 * Appends an event to its chain, as the last thing a transaction does: the chain stays locked until the commit.
 * If it cannot be written the transaction fails, and with it what it would have recorded.
 */
export async function appendEvent(platform: Sealing, db: Db, record: AuditRecord): Promise<void> {
  const head = await queries.lockHead(db, record.chain)
  const sequence = head.sequence + 1
  const kept: AuditRecord = {
    ...record,
    detail: JSON.parse(JSON.stringify(record.detail)) as AuditRecord['detail'],
  }
  const hash = hashOf(head.hash, sequence, kept)
  const key = keyOf(platform)
  // A broken seal is handed on: otherwise the next event would make a rewritten chain look whole.
  const seal = isSealed(key, record.chain, head) ? sealOf(key, record.chain, { sequence, hash }) : ''
  await queries.append(db, { ...kept, sequence, previousHash: head.hash, hash }, seal)
}

/** Recomputes a chain from its first event and compares its end with the sealed head, so that a cut tail shows too. */
export async function verifyChain(platform: Sealing, db: Db, chain: string): Promise<Verification> {
  const head = await queries.findHead(db, chain)
  let state: Verification = { events: 0, brokenAt: null, headHash: FIRST_HASH }
  for (;;) {
    const events = await queries.eventsAfter(db, chain, state.events, VERIFY_BATCH)
    state = verifyEvents(state, events)
    if (state.brokenAt !== null) return state
    if (events.length < VERIFY_BATCH) break
  }
  const expected = head ?? { sequence: 0, hash: FIRST_HASH, seal: '' }
  const whole =
    state.events === expected.sequence &&
    state.headHash === expected.hash &&
    isSealed(keyOf(platform), chain, expected) &&
    // Whoever can ask got in by something that was recorded there.
    (chain !== INSTALLATION_CHAIN || head !== undefined)
  return whole ? state : { ...state, brokenAt: state.events + 1 }
}
