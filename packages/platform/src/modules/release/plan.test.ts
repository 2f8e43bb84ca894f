import { array, assert as check, boolean, constantFrom, integer, property, record } from 'fast-check'
import { describe, expect, test } from 'vitest'

import { noCounts, type Release } from './model.ts'
import { countsOf, later, plan, release, seen, shapeInput, T0, weightsOf } from './plan.helper.ts'
import { settleBatches } from './batches.ts'
import { movedTo, planCommanded, planMove, type Observation } from './plan.ts'
import { demandOf, shapeOf } from './shape.ts'

describe('moving forward', () => {
  const cases: [when: string, release: Release, seen: Observation, now: Date, expected: unknown][] = [
    [
      'too few ready Instances: waits',
      release(),
      seen({ counts: { ...noCounts, newReady: 0 } }),
      T0,
      { kind: 'wait' },
    ],
    ['ready: warms up', release(), seen(), T0, { kind: 'to', state: 'Warming' }],
    [
      'ready but the cluster has not seen the newest wish: waits',
      release(),
      seen({ settled: false }),
      T0,
      { kind: 'wait' },
    ],
    ['warming: probes through the route', release({ state: 'Warming' }), seen(), T0, { kind: 'probe' }],
    [
      'probed: takes its traffic',
      release({ state: 'Warming', probesPassed: 5 }),
      seen(),
      T0,
      { kind: 'to', state: 'Gating' },
    ],
    [
      'no router: readiness is the gate',
      release({ state: 'Warming' }),
      seen({ hasRouter: false }),
      T0,
      { kind: 'to', state: 'Gating' },
    ],
    [
      'gate passed, a person is asked',
      release({ state: 'Gating', probesPassed: 5 }),
      seen(),
      T0,
      { kind: 'to', state: 'WaitPerson' },
    ],
    [
      'nobody has answered: waits, however long',
      release({ state: 'WaitPerson' }),
      seen(),
      later(1e9),
      { kind: 'wait' },
    ],
    [
      'approved: next batch',
      release({ state: 'WaitPerson', approvedBatch: 0 }),
      seen(),
      T0,
      { kind: 'to', state: 'Placing', batch: 1 },
    ],
    [
      'an approval of an earlier batch does not count',
      release({ state: 'WaitPerson', batch: 1, approvedBatch: 0 }),
      seen(),
      T0,
      { kind: 'wait' },
    ],
    [
      'last batch passed: finishes',
      release({ state: 'Gating', batch: 1, probesPassed: 5 }),
      seen(),
      T0,
      { kind: 'to', state: 'Finishing' },
    ],
    ['finishing: done', release({ state: 'Finishing', batch: 1 }), seen(), T0, { kind: 'to', state: 'Done' }],
    ['paused: stays where it is', release({ paused: true }), seen(), T0, { kind: 'wait' }],
    [
      'exactly at the deadline: goes back',
      release(),
      seen({ counts: noCounts }),
      later(600_000),
      { kind: 'to', state: 'RollingBack' },
    ],
    [
      'at the deadline, told to hold: holds',
      release({ plan: plan({ batches: [{ percent: 100 }], onFail: 'hold' }) }),
      seen({ counts: noCounts }),
      later(600_000),
      { kind: 'to', state: 'Held' },
    ],
    [
      'crashing: goes back at once, also when paused',
      release({ paused: true }),
      seen({ crashes: 3 }),
      T0,
      { kind: 'to', state: 'RollingBack' },
    ],
    [
      'unready while a person is asked: goes back',
      release({ state: 'WaitPerson' }),
      seen({ unreadySince: T0 }),
      later(30_000),
      { kind: 'to', state: 'RollingBack' },
    ],
    [
      'aborted: goes back from anywhere',
      release({ goal: 'abort', state: 'Soak' }),
      seen(),
      T0,
      { kind: 'to', state: 'RollingBack' },
    ],
    [
      'going back: waits for the new version to be gone',
      release({ state: 'RollingBack', goal: 'abort' }),
      seen(),
      T0,
      { kind: 'wait' },
    ],
    [
      'gone back by a person: aborted',
      release({ state: 'RollingBack', goal: 'abort' }),
      seen({ newGone: true }),
      T0,
      { kind: 'to', state: 'Aborted' },
    ],
    [
      'gone back by a gate: rolled back',
      release({ state: 'RollingBack', goal: 'rollback' }),
      seen({ newGone: true }),
      T0,
      { kind: 'to', state: 'RolledBack' },
    ],
  ]
  test.each(cases)('%s', (_, one, observation, now, expected) =>
    expect(planMove(one, observation, now)).toMatchObject(expected as object),
  )

  test('every state that is not an end has a way back', () => {
    const states = [
      'Queued',
      'Placing',
      'Warming',
      'Gating',
      'WaitPerson',
      'Soak',
      'Held',
      'Finishing',
    ] as const
    for (const state of states)
      for (const goal of ['abort', 'rollback'] as const)
        expect(planMove(release({ state, goal }), seen(), T0)).toMatchObject({
          kind: 'to',
          state: 'RollingBack',
        })
  })
})

describe('what a command decides by itself', () => {
  const cases: [when: string, release: Release, expected: object | undefined][] = [
    [
      'a yes: on to the next batch',
      release({ state: 'WaitPerson', approvedBatch: 0 }),
      { state: 'Placing', batch: 1 },
    ],
    [
      'a yes to the last batch: finishes',
      release({ state: 'WaitPerson', batch: 1, approvedBatch: 1 }),
      { state: 'Finishing' },
    ],
    [
      'a yes while paused: nothing',
      release({ state: 'WaitPerson', approvedBatch: 0, paused: true }),
      undefined,
    ],
    ['no answer yet: nothing', release({ state: 'WaitPerson' }), undefined],
    ['a wish to go back: it goes back', release({ state: 'Soak', goal: 'abort' }), { state: 'RollingBack' }],
    ['on its way back already: nothing', release({ state: 'RollingBack', goal: 'abort' }), undefined],
    ['ended: nothing', release({ state: 'Done', endedAt: T0 }), undefined],
  ]
  test.each(cases)('%s', (_, one, expected) => {
    const step = planCommanded(one)
    const after = step && movedTo(one, step, later(5))
    if (expected === undefined) expect(after).toBeUndefined()
    else expect(after).toMatchObject({ ...expected, stateSince: later(5) })
  })
})

describe('the shape of a rollout', () => {
  const old = shapeInput({}).serving
  test('nobody reaches a version that has not answered yet', () => {
    expect(weightsOf(shapeInput({ active: release({ state: 'Placing' }) }))).toEqual({
      newnewne: 0,
      oldoldol: 100,
    })
    expect(weightsOf(shapeInput({ active: release({ state: 'Warming' }) }))).toEqual({
      newnewne: 0,
      oldoldol: 100,
    })
    expect(weightsOf(shapeInput({ active: release({ state: 'Gating' }) }))).toEqual({
      newnewne: 25,
      oldoldol: 75,
    })
    expect(weightsOf(shapeInput({ active: release({ state: 'Placing', batch: 1 }) }))).toEqual({
      newnewne: 25,
      oldoldol: 75,
    })
  })
  test('with a router the whole old version is the reserve', () => {
    expect(countsOf(shapeInput({ active: release({ state: 'Gating', batch: 1 }), newReady: 4 }))).toEqual({
      newnewne: 4,
      oldoldol: 4,
    })
  })
  test('without a router the old version shrinks only behind ready Instances', () => {
    const active = release({
      state: 'Placing',
      batch: 1,
      batches: settleBatches(plan({ batches: [{ instances: 1 }, { percent: 100 }] }), 4, false),
    })
    expect(countsOf(shapeInput({ active, hasRouter: false, newReady: 1 }))).toEqual({
      newnewne: 4,
      oldoldol: 3,
    })
  })
  test('going back moves the traffic first and keeps the new version until the old one is whole', () => {
    const active = release({ state: 'RollingBack', goal: 'abort' })
    expect(weightsOf(shapeInput({ active, oldReady: 2, newPresent: 4 }))).toEqual({
      newnewne: 0,
      oldoldol: 100,
    })
    expect(countsOf(shapeInput({ active, oldReady: 2, newPresent: 4 }))).toEqual({ newnewne: 4, oldoldol: 4 })
    expect(countsOf(shapeInput({ active, oldReady: 4, newPresent: 4 }))).toEqual({ oldoldol: 4 })
  })
  test('after the end the old version is kept at full strength without traffic', () => {
    const serving = release({ state: 'Done' })
    expect(weightsOf(shapeInput({ serving, retained: old }))).toEqual({ newnewne: 100, oldoldol: 0 })
    expect(countsOf(shapeInput({ serving, retained: old }))).toEqual({ newnewne: 4, oldoldol: 4 })
  })
  test('more demand during a release grows both versions, and nothing shrinks', () => {
    const active = release({ state: 'Gating' })
    const scaled = (web: number) => ({ active: { ...active, instances: { web } }, instances: { web } })
    expect(countsOf(shapeInput(scaled(8)))).toEqual({ newnewne: 2, oldoldol: 8 })
    expect(countsOf(shapeInput(scaled(1)))).toEqual({ newnewne: 1, oldoldol: 4 })
  })
  test('a count that came with the release is the new version alone, up and down', () => {
    for (const web of [2, 10]) {
      const one = plan({ batches: [{ percent: 50 }] })
      const active = release({
        state: 'Gating',
        batch: 1,
        instances: { web },
        demand: web,
        asked: ['web'],
        batches: settleBatches(one, web, true),
      })
      expect(countsOf(shapeInput({ active, newReady: web }))).toEqual({ newnewne: web, oldoldol: 4 })
      expect(countsOf(shapeInput({ active: { ...active, batch: 0 } }))).toEqual({
        newnewne: web / 2,
        oldoldol: 4,
      })
    }
  })
  test('what is kept after the end stays as large as it was, until somebody scales', () => {
    const serving = release({ state: 'Done', instances: { web: 10 } })
    const kept = { serving, retained: old, instances: { web: 10 } }
    expect(countsOf(shapeInput({ ...kept, retainedInstances: 4 }))).toEqual({ newnewne: 10, oldoldol: 4 })
    expect(countsOf(shapeInput(kept))).toEqual({ newnewne: 10, oldoldol: 10 })
  })
  test('an old version that is scaled to nothing gets no share of the traffic', () => {
    const active = release({ state: 'Gating', oldDemand: 0, asked: ['web'] })
    expect(weightsOf(shapeInput({ active, instances: { web: 0 } }))).toEqual({ newnewne: 100, oldoldol: 0 })
    expect(weightsOf(shapeInput({ active: { ...active, state: 'Warming' }, instances: { web: 0 } }))).toEqual(
      {
        newnewne: 0,
        oldoldol: 100,
      },
    )
  })
  test('weights sum to 100 in every state, and some version always carries the demand', () => {
    const states = constantFrom(
      'Placing',
      'Warming',
      'Gating',
      'WaitPerson',
      'Soak',
      'Held',
      'Finishing',
      'RollingBack' as const,
    )
    const batch = record({ weight: integer({ min: 0, max: 100 }), instances: integer({ min: 1, max: 8 }) })
    check(
      property(
        states,
        array(batch, { minLength: 1, maxLength: 4 }),
        integer({ min: 1, max: 8 }),
        boolean(),
        integer({ min: 0, max: 8 }),
        (state, batches, demand, hasRouter, ready) => {
          const one = plan({ batches })
          const active = release({
            state,
            plan: one,
            batches: settleBatches(one, demand, hasRouter),
            demand,
            oldDemand: demand,
            instances: { web: demand },
            heldFrom: state === 'Held' ? 'Gating' : null,
          })
          const shape = shapeOf(
            shapeInput({
              active,
              instances: { web: demand },
              hasRouter,
              newReady: Math.min(ready, demand),
              newPresent: ready,
            }),
          )
          expect(shape.versions.reduce((sum, { weight }) => sum + weight, 0)).toBe(100)
          const wanted = shape.versions.map(({ instances }) => instances.get('web') ?? 0)
          expect(wanted.reduce((a, b) => a + b, 0)).toBeGreaterThanOrEqual(
            Math.min(demand, demandOf(active, 'web', { web: demand })),
          )
        },
      ),
    )
  })
})
