import { describe, expect, test } from 'vitest'

import { kinOf, type Evacuation, type Move, type Scene, type Seat } from './model.ts'
import { planEvacuation } from './plan.ts'

const START = new Date('2026-01-01T10:00:00.500Z')
const at = (seconds: number): Date => new Date(START.getTime() + seconds * 1_000)
const drain: Evacuation = {
  id: 'eva_1',
  clusterId: 'clu_1',
  node: 'n1',
  kind: 'drain',
  state: 'Running',
  problem: null,
  startedBy: 'usr_1',
  startedAt: START,
  deadlineAt: at(600),
  nodeBackAt: null,
  endedAt: null,
  uncordon: false,
  generation: 1,
}
const loss: Evacuation = { ...drain, kind: 'loss', deadlineAt: null, startedBy: null }

function seat(name: string, more: Partial<Seat> = {}): Seat {
  return {
    uid: `uid-${name}`,
    name,
    namespace: 'shop-test',
    workloadId: 'wrk_1',
    organizationId: 'org_1',
    process: 'web',
    version: 'aaaa',
    node: 'n1',
    ready: true,
    leaving: false,
    createdAt: at(-3_600),
    ...more,
  }
}
const kin = kinOf(seat(''))
const scene = (seats: readonly Seat[], more: Partial<Scene> = {}): Scene => ({
  node: 'ready',
  seats,
  wanted: new Map(
    seats.map((one) => [kinOf(one), seats.filter((other) => kinOf(other) === kinOf(one)).length]),
  ),
  builds: 0,
  ...more,
})
const wanted = (count: number): Pick<Scene, 'wanted'> => ({ wanted: new Map([[kin, count]]) })
const names = (seats: readonly Seat[]): readonly string[] => seats.map(({ name }) => name)
const statesOf = (moves: readonly Move[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    moves.map(({ pod, state, toPod }) => [pod, toPod === null ? state : `${state} to ${toPod}`]),
  )

describe('a drain', () => {
  test('lets one Instance of a process leave at a time, of each process', () => {
    const worker = seat('worker', { process: 'worker' })
    const plan = planEvacuation(drain, [], scene([seat('a'), seat('b'), worker]), at(1))
    expect(names(plan.evict)).toEqual(['a', 'worker'])
    expect(statesOf(plan.moves)).toEqual({ a: 'Waiting', b: 'Waiting', worker: 'Waiting' })
    expect(plan.end).toBeUndefined()
  })

  test('waits while not all that should be there are ready, and says so; one that is not ready may go', () => {
    const seats = [seat('a'), seat('b'), seat('c', { node: 'n2', ready: false })]
    const plan = planEvacuation(drain, [], scene(seats, wanted(3)), at(1))
    expect(plan.evict).toEqual([])
    expect(plan.moves.map(({ why }) => why)).toEqual(
      [1, 2].map(() => ({ code: 'evacuation_not_whole', params: { ready: 2, wanted: 3 } })),
    )
    const failing = [seat('a'), seat('b', { ready: false })]
    expect(names(planEvacuation(drain, [], scene(failing, wanted(2)), at(1)).evict)).toEqual(['b'])
  })

  test('goes on when another one has taken the place of the one that left, the oldest first and only once', () => {
    const first = planEvacuation(drain, [], scene([seat('a'), seat('b')]), at(1)).moves
    const between = [seat('b'), seat('c', { node: 'n2', ready: false, createdAt: at(2) })]
    const held = planEvacuation(drain, first, scene(between, wanted(2)), at(3))
    expect([held.evict, statesOf(held.moves)]).toEqual([[], { a: 'Leaving', b: 'Waiting' }])
    const c = seat('c', { node: 'n2', createdAt: at(2) })
    const next = planEvacuation(drain, held.moves, scene([seat('b'), c], wanted(2)), at(4))
    expect([names(next.evict), statesOf(next.moves)]).toEqual([['b'], { a: 'Moved to c', b: 'Waiting' }])
    const d = seat('d', { node: 'n3', createdAt: at(5) })
    const last = planEvacuation(drain, next.moves, scene([c, d], wanted(2)), at(6))
    expect([last.end, statesOf(last.moves)]).toEqual(['Done', { a: 'Moved to c', b: 'Moved to d' }])
  })

  test('knows nothing but the pods: after a kill between the question and its record it asks nobody else', () => {
    const first = planEvacuation(drain, [], scene([seat('a'), seat('b')]), at(1)).moves
    const leaving = [seat('a', { leaving: true }), seat('b')]
    const again = planEvacuation(drain, first, scene(leaving, wanted(2)), at(2))
    expect([again.evict, statesOf(again.moves)]).toEqual([[], { a: 'Leaving', b: 'Waiting' }])
  })

  test('takes one that was there before for nobody’s successor', () => {
    const first = planEvacuation(drain, [], scene([seat('a')]), at(1)).moves
    const old = seat('old', { node: 'n2' })
    expect(statesOf(planEvacuation(drain, first, scene([old], wanted(2)), at(2)).moves)).toEqual({
      a: 'Leaving',
    })
  })

  test('calls it gone when nobody misses it: scaled down, or its version is', () => {
    const first = planEvacuation(drain, [], scene([seat('a')]), at(1)).moves
    const plan = planEvacuation(drain, first, scene([], wanted(0)), at(2))
    expect([plan.end, statesOf(plan.moves)]).toEqual(['Done', { a: 'Gone' }])
  })

  test('keeps what a disruption budget said until it is asked again', () => {
    const why = { code: 'evacuation_budget', params: { problem: 'no' } }
    const [move] = planEvacuation(drain, [], scene([seat('a')]), at(1)).moves
    const refused = move === undefined ? [] : [{ ...move, why }]
    const plan = planEvacuation(drain, refused, scene([seat('a')]), at(2))
    expect([names(plan.evict), plan.moves]).toEqual([['a'], refused])
  })

  test('is done only when builds have ended too, and gives up at its time', () => {
    expect(planEvacuation(drain, [], scene([], { builds: 1 }), at(1)).end).toBeUndefined()
    expect(planEvacuation(drain, [], scene([]), at(1)).end).toBe('Done')
    expect(planEvacuation(drain, [], scene([seat('a')]), at(600)).end).toBe('Expired')
    expect(planEvacuation(drain, [], scene([], { node: 'gone' }), at(1)).end).toBe('Done')
  })

  test('never has more than ten on their way from one node', () => {
    const many = Array.from({ length: 30 }, (_, index) => seat(`p${index}`, { process: `p${index}` }))
    const all = new Map(many.map((one) => [kinOf(one), 1]))
    expect(planEvacuation(drain, [], scene(many, { wanted: all }), at(1)).evict).toHaveLength(10)
  })
})

describe('a loss', () => {
  const lost = { node: 'lost' } as const

  test('asks nobody to leave, and tells what moved where', () => {
    const first = planEvacuation(
      loss,
      [],
      scene([seat('a', { ready: false })], { ...lost, ...wanted(1) }),
      at(1),
    )
    expect([first.evict, statesOf(first.moves)]).toEqual([[], { a: 'Waiting' }])
    const seats = [seat('a', { ready: false, leaving: true }), seat('b', { node: 'n2', createdAt: at(12) })]
    const plan = planEvacuation(loss, first.moves, scene(seats, { ...lost, ...wanted(1) }), at(14))
    expect([plan.end, statesOf(plan.moves)]).toEqual(['Done', { a: 'Moved to b' }])
  })

  test('ends when the node comes back with what it had, and does not count what begins there then', () => {
    const first = planEvacuation(loss, [], scene([seat('a', { ready: false })], lost), at(1)).moves
    const back = [seat('a'), seat('new', { createdAt: at(40) })]
    const plan = planEvacuation(loss, first, scene(back), at(41))
    expect([plan.end, plan.nodeBackAt, statesOf(plan.moves)]).toEqual(['Done', at(41), { a: 'Stayed' }])
  })
})
