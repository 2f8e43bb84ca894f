import type { Batch, Release, ReleaseEvent, ReleaseState } from '@slipway/contract'
import { describe, expect, test } from 'vitest'

import { stationsOf } from './stations.ts'

type Given = Pick<Release, 'plan' | 'state' | 'batch' | 'endedAt'>

const batch = (rest: Partial<Batch>): Batch => ({ approve: false, soakSeconds: 0, ...rest })
const plan = (...batches: Batch[]): Release['plan'] => ({
  batches,
  probe: { path: '/', requests: 5, statusBelow: 500 },
  onFail: 'rollback',
  capacity: 'require',
  batchDeadlineSeconds: 600,
})
const careful = plan(batch({ instances: 1, approve: true }), batch({ percent: 100 }))
const release = (state: ReleaseState, at: number, rest: Partial<Given> = {}): Given => ({
  plan: careful,
  state,
  batch: at,
  endedAt: null,
  ...rest,
})

function journal(...entries: [kind: ReleaseEvent['kind'], batch: number, code: string][]): ReleaseEvent[] {
  return entries.map(([kind, at, code], index) => ({
    sequence: index + 1,
    at: `2026-01-01T00:00:0${index}Z`,
    kind,
    batch: at,
    actor: 'ada',
    code,
    params: {},
  }))
}

describe('phases of batches', () => {
  const cases: [when: string, state: ReleaseState, at: number, phases: string][] = [
    ['queued', 'Queued', 0, 'now,next'],
    ['the first waits for a person', 'WaitPerson', 0, 'now,next'],
    ['the second is under way', 'Gating', 1, 'passed,now'],
    ['everything passed', 'Done', 1, 'passed,passed'],
    ['on the way back from the first', 'RollingBack', 0, 'stopped,skipped'],
    ['rolled back from the second', 'RolledBack', 1, 'passed,stopped'],
    ['aborted', 'Aborted', 0, 'stopped,skipped'],
  ]
  test.each(cases)('%s', (_, state, at, phases) => {
    expect(
      stationsOf(release(state, at), [])
        .map(({ phase }) => phase)
        .join(),
    ).toBe(phases)
  })

  test('a plan without a last batch of everything gets one', () => {
    const stations = stationsOf(release('Placing', 0, { plan: plan(batch({ percent: 20 })) }), [])
    expect(stations.map((station) => station.batch.percent)).toEqual([20, 100])
  })

  test('what a promotion jumped over was skipped', () => {
    const three = plan(batch({ percent: 10 }), batch({ percent: 50 }), batch({ percent: 100 }))
    const events = journal(['state', 0, 'Placing'], ['command', 0, 'promoted'], ['state', 2, 'Placing'])
    const phases = stationsOf(release('Gating', 2, { plan: three }), events).map(({ phase }) => phase)
    expect(phases).toEqual(['passed', 'skipped', 'now'])
  })
})

describe('gates of a batch', () => {
  test('an approved one shows who approved', () => {
    const events = journal(
      ['state', 0, 'Placing'],
      ['gate', 0, 'probe_passed'],
      ['state', 0, 'WaitPerson'],
      ['command', 0, 'approved'],
      ['state', 1, 'Placing'],
    )
    const [first] = stationsOf(release('Placing', 1), events)
    expect(first?.gates.map(({ kind, phase }) => `${kind} ${phase}`)).toEqual([
      'answers passed',
      'person passed',
    ])
    expect(first?.gates[1]?.evidence?.actor).toBe('ada')
    expect(first?.endedAt).toBe('2026-01-01T00:00:04Z')
  })

  test('one that waits has passed what comes before', () => {
    const events = journal(['state', 0, 'Placing'], ['gate', 0, 'probe_passed'], ['state', 0, 'WaitPerson'])
    const [first] = stationsOf(release('WaitPerson', 0), events)
    expect(first?.gates.map(({ phase }) => phase)).toEqual(['passed', 'now'])
  })

  test('a failing probe stops the batch at that gate', () => {
    const events = journal(
      ['state', 0, 'Placing'],
      ['state', 0, 'Warming'],
      ['gate', 0, 'probe_failing'],
      ['state', 0, 'RollingBack'],
    )
    const [first] = stationsOf(release('RolledBack', 0), events)
    expect(first?.gates.map(({ phase }) => phase)).toEqual(['failed', 'next'])
    expect(first?.gates[0]?.evidence?.code).toBe('probe_failing')
  })

  test('a rejection stands at the person’s gate', () => {
    const events = journal(
      ['state', 0, 'Placing'],
      ['gate', 0, 'probe_passed'],
      ['state', 0, 'WaitPerson'],
      ['command', 0, 'rejected'],
      ['state', 0, 'RollingBack'],
    )
    const [first] = stationsOf(release('RollingBack', 0), events)
    expect(first?.gates.map(({ phase }) => phase)).toEqual(['passed', 'failed'])
  })
})
