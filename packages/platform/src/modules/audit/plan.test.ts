import { describe, expect, test } from 'vitest'

import type { AuditRecord, ChainedEvent } from './model.ts'
import { FIRST_HASH, hashOf, verifyEvents } from './plan.ts'

const T0 = new Date('2026-01-01T00:00:00Z')
const record = (id: number): AuditRecord => ({
  id: `aud_${id}`,
  chain: 'org_a',
  at: new Date(T0.getTime() + id),
  actor: 'usr_a',
  actorName: 'ann',
  action: 'project.create',
  target: `project:${id}`,
  projectId: null,
  outcome: 'success',
  code: null,
  requestId: 'req',
  address: '127.0.0.1',
  detail: { slug: `p${id}` },
})

function chainOf(count: number): ChainedEvent[] {
  const events: ChainedEvent[] = []
  for (let sequence = 1; sequence <= count; sequence += 1) {
    const previousHash = events.at(-1)?.hash ?? FIRST_HASH
    events.push({
      ...record(sequence),
      sequence,
      previousHash,
      hash: hashOf(previousHash, sequence, record(sequence)),
    })
  }
  return events
}
const start = { events: 0, brokenAt: null, headHash: FIRST_HASH }

const attacks: [name: string, attack: (events: ChainedEvent[]) => ChainedEvent[], brokenAt: number][] = [
  [
    'an edited event',
    (events) => events.map((one) => (one.sequence === 3 ? { ...one, actor: 'usr_b' } : one)),
    3,
  ],
  [
    'an edited detail',
    (events) => events.map((one) => (one.sequence === 2 ? { ...one, detail: {} } : one)),
    2,
  ],
  ['a deleted event', (events) => events.filter((one) => one.sequence !== 3), 3],
  ['an inserted event', (events) => [...events.slice(0, 2), ...events.slice(1, 2), ...events.slice(2)], 3],
  [
    'reordered events',
    (events) => [...events.slice(0, 1), ...events.slice(1, 3).reverse(), ...events.slice(3)],
    2,
  ],
  [
    'an event of another chain',
    (events) => events.map((one) => (one.sequence === 4 ? { ...one, chain: 'org_b' } : one)),
    4,
  ],
  ['a clock set back', (events) => events.map((one) => (one.sequence === 5 ? { ...one, at: T0 } : one)), 5],
  ['a cut beginning', (events) => events.slice(1), 1],
]

describe('the audit chain', () => {
  test('holds when nobody touched it, also when verified in pieces', () => {
    const events = chainOf(5)
    const whole = verifyEvents(start, events)
    expect(whole).toEqual({ events: 5, brokenAt: null, headHash: events.at(-1)?.hash })
    expect(verifyEvents(verifyEvents(start, events.slice(0, 2)), events.slice(2))).toEqual(whole)
  })

  test.each(attacks)('shows %s', (_, attack, brokenAt) => {
    expect(verifyEvents(start, attack(chainOf(5))).brokenAt).toBe(brokenAt)
  })
})
