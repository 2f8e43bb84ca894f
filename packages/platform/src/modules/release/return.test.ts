import { assert as check, boolean, integer, property } from 'fast-check'
import { describe, expect, test } from 'vitest'

import { floorOf, type Release } from './model.ts'
import { countsOf, later, plan, release, seen, shapeInput, T0, weightsOf } from './plan.helper.ts'
import { settleBatches } from './batches.ts'
import { planMove, type Observation } from './plan.ts'
import { shapeOf } from './shape.ts'

describe('the way back, move by move', () => {
  const back = (change: Partial<Release> = {}): Release =>
    release({
      state: 'RollingBack',
      goal: 'rollback',
      reason: { code: 'rolled_back', params: {} },
      ...change,
    })
  const waits = (change: Partial<Release> = {}): Release =>
    back({
      state: 'Held',
      heldFrom: 'RollingBack',
      reason: {
        code: 'return_waits',
        params: { because: 'gate_crashing', restarts: 3, oldReady: 0, oldWanted: 4, oldTrouble: 'lost' },
      },
      ...change,
    })
  const old = (oldReady: number, change: Partial<Observation> = {}): Observation =>
    seen({ counts: { newReady: 4, newWanted: 4, oldReady, oldWanted: 4 }, ...change })
  const cases: [when: string, release: Release, seen: Observation, now: Date, expected: unknown][] = [
    ['the old version is not ready yet: waits', back(), old(0), later(9_999), { kind: 'wait' }],
    [
      'the old version does not get ready: holds, and says why',
      back(),
      old(2, { oldTrouble: 'Unschedulable' }),
      later(10_000),
      {
        kind: 'to',
        state: 'Held',
        reason: {
          code: 'return_waits',
          params: { because: 'rolled_back', oldReady: 2, oldWanted: 4, oldTrouble: 'Unschedulable' },
        },
      },
    ],
    [
      'without a router the old version has to start: waits for the whole deadline',
      back(),
      old(0, { hasRouter: false }),
      later(599_999),
      { kind: 'wait' },
    ],
    [
      'without a router, at the deadline: holds',
      back(),
      old(0, { hasRouter: false }),
      later(600_000),
      { kind: 'to', state: 'Held' },
    ],
    [
      'held: waits for ever while the old version is not ready',
      waits(),
      old(2),
      later(1e9),
      { kind: 'wait' },
    ],
    [
      'held, and nothing of the new version is ready either: fails at the deadline',
      waits(),
      old(0, { counts: { newReady: 0, newWanted: 4, oldReady: 0, oldWanted: 4 } }),
      later(600_000),
      { kind: 'to', state: 'Failed' },
    ],
    [
      'held, and the old version can carry the traffic again: goes on with its own reason',
      waits(),
      old(3),
      later(1e9),
      { kind: 'to', state: 'RollingBack', reason: { code: 'gate_crashing', params: { restarts: 3 } } },
    ],
    [
      'held, and a person keeps the new version: forward again',
      waits({ goal: 'forward', state: 'Placing', heldFrom: null, batch: 1, reason: null }),
      old(0),
      T0,
      { kind: 'to', state: 'Warming' },
    ],
    [
      'a quarter is missing and the new version is not gone yet: waits',
      back(),
      old(3),
      later(60_000),
      { kind: 'wait' },
    ],
    [
      'a quarter is missing and the new version is gone: waits for the rest',
      back(),
      old(3, { newGone: true }),
      later(599_999),
      { kind: 'wait' },
    ],
    [
      'a quarter is still missing at the deadline: rolled back all the same',
      back(),
      old(3, { newGone: true }),
      later(600_000),
      { kind: 'to', state: 'RolledBack' },
    ],
    [
      'both are gone at the deadline: failed',
      back(),
      old(0, { newGone: true, oldTrouble: 'lost' }),
      later(600_000),
      { kind: 'to', state: 'Failed', reason: { code: 'return_deadline', params: { trouble: 'lost' } } },
    ],
    [
      'what cannot be taken away at the deadline: failed',
      back(),
      old(4, { settled: false }),
      later(600_000),
      { kind: 'to', state: 'Failed' },
    ],
  ]
  test.each(cases)('%s', (_, one, observation, now, expected) =>
    expect(planMove(one, observation, now)).toMatchObject(expected as object),
  )
})

describe('the way back, what is there', () => {
  test.each([
    ['none is ready: the new version serves everything', 0, 4, { newnewne: 100, oldoldol: 0 }],
    ['half is ready: each serves what it can', 2, 4, { newnewne: 50, oldoldol: 50 }],
    ['half is ready, of the new one only one', 2, 1, { newnewne: 33, oldoldol: 67 }],
    ['a quarter is missing: the old one carries it', 3, 4, { newnewne: 0, oldoldol: 100 }],
    ['neither is ready: nobody is sent to the new version', 0, 0, { newnewne: 0, oldoldol: 100 }],
  ])('going back, of the old version %s', (_, oldReady, newReady, expected) => {
    for (const active of [
      release({ state: 'RollingBack', goal: 'rollback' }),
      release({ state: 'Held', heldFrom: 'RollingBack', goal: 'rollback' }),
    ]) {
      const one = shapeInput({ active, oldReady, newReady, newPresent: 4, drained: false })
      expect(weightsOf(one)).toEqual(expected)
      expect(countsOf(one)).toEqual({ newnewne: 4, oldoldol: 4 })
    }
  })
  test('going back without a router, each ready Instance of the old version replaces one of the new', () => {
    const active = release({ state: 'RollingBack', goal: 'rollback' })
    const of = (oldReady: number) =>
      countsOf(shapeInput({ active, oldReady, newReady: 4, newPresent: 4, hasRouter: false }))
    expect([0, 1, 3, 4].map(of)).toEqual([
      { newnewne: 4, oldoldol: 4 },
      { newnewne: 3, oldoldol: 4 },
      { newnewne: 1, oldoldol: 4 },
      { oldoldol: 4 },
    ])
  })
  test('the way back never takes ready Instances below the floor', () => {
    const few = integer({ min: 0, max: 8 })
    check(
      property(few, few, few, boolean(), boolean(), (wanted, oldReady, present, hasRouter, drained) => {
        const newReady = present
        const active = release({ state: 'RollingBack', goal: 'rollback' })
        const one = shapeInput({
          active,
          instances: { web: wanted },
          oldReady,
          newReady,
          newPresent: present,
          hasRouter,
          drained,
        })
        const left = oldReady + (countsOf(one)['newnewne'] ?? 0)
        expect(left).toBeGreaterThanOrEqual(Math.min(floorOf(wanted), oldReady + newReady))
        expect(shapeOf(one).versions.reduce((sum, { weight }) => sum + weight, 0)).toBe(100)
      }),
    )
  })
  test('a person who keeps the new version takes no traffic from it', () => {
    const kept = release({ state: 'Placing', batch: 1, weight: 100, approvedBatch: 1 })
    expect(weightsOf(shapeInput({ active: kept, oldReady: 0, newReady: 2, newPresent: 2 }))).toEqual({
      newnewne: 100,
      oldoldol: 0,
    })
    // One that nobody has reached yet proves itself first, however ill the old one is.
    const fresh = release({
      state: 'Placing',
      weight: 0,
      batches: settleBatches(plan({ batches: [{ percent: 100 }] }), 4, true),
    })
    expect(weightsOf(shapeInput({ active: fresh, oldReady: 0, newReady: 2, newPresent: 2 }))).toEqual({
      newnewne: 0,
      oldoldol: 100,
    })
  })
})
