import { assert as check, integer, property } from 'fast-check'
import { describe, expect, test } from 'vitest'

import { emptyBatchOf, problemOfPlan, settleBatches } from './batches.ts'
import { plan } from './plan.helper.ts'

describe('settling a plan', () => {
  test('1, a person, the rest', () => {
    const batches = settleBatches(
      plan({ batches: [{ instances: 1, approve: true }, { percent: 100 }] }),
      4,
      true,
    )
    expect(batches.map(({ instances, weight, approve }) => [instances, weight, approve])).toEqual([
      [1, 25, true],
      [4, 100, false],
    ])
  })
  test('a canary by header gets an Instance and no weight; 25 % gets its share; the end is added', () => {
    const batches = settleBatches(plan({ batches: [{ header: 'x-gray: 1' }, { weight: 25 }] }), 4, true)
    expect(batches.map(({ instances, weight, header }) => [instances, weight, header])).toEqual([
      [1, 0, { name: 'x-gray', value: '1' }],
      [1, 25, null],
      [4, 100, null],
    ])
  })
  test('a weight never asks of fewer Instances than carry it', () => {
    check(
      property(
        integer({ min: 0, max: 50 }),
        integer({ min: 0, max: 100 }),
        integer({ min: 1, max: 50 }),
        (demand, weight, instances) => {
          const [batch] = settleBatches(plan({ batches: [{ weight, instances }] }), demand, true)
          expect(batch?.instances).toBeGreaterThanOrEqual(Math.ceil((demand * weight) / 100))
        },
      ),
    )
  })
})

describe('a plan that cannot work', () => {
  const problem = (batches: unknown, demand = 4) => {
    const one = plan({ batches })
    return problemOfPlan(one, settleBatches(one, demand, true))
  }
  const rest = { percent: 100 }
  const cases: [what: string, batches: unknown, expected: unknown][] = [
    ['goes backwards', [{ weight: 50 }, { weight: 25 }], { kind: 'backwards', batch: 2 }],
    ['names a reserved header', [{ header: 'Slipway-Version: 1' }], { kind: 'reserved header' }],
    [
      'has everything, a person, everything',
      [{ ...rest, approve: true }, rest],
      { kind: 'empty batch', batch: 2, write: 'rest,person' },
    ],
    [
      'says a share twice, in other words',
      [{ percent: 25 }, { weight: 25, approve: true }, rest],
      { kind: 'empty batch', batch: 2, write: '25%,person,rest' },
    ],
    [
      'says a header twice',
      [{ header: 'x-gray: 1' }, { header: 'X-Gray: 1', soakSeconds: 5 }],
      { kind: 'empty batch', batch: 2, write: '1,header x-gray: 1,soak 5s' },
    ],
    ['brings something in each batch', [{ instances: 1, approve: true }, { percent: 25 }, rest], undefined],
    [
      'adds a header to the same Instances',
      [{ instances: 1, weight: 0 }, { header: 'x-gray: 1' }, rest],
      undefined,
    ],
  ]
  test.each(cases)('that %s', (_, batches, expected) => expect(problem(batches)).toEqual(expected))

  test('whatever the count, no plan is refused for what only its count makes of it', () => {
    const careful = [{ instances: 1, approve: true }, rest]
    for (const demand of [0, 1, 2, 500]) expect(problem(careful, demand)).toBeUndefined()
    expect(emptyBatchOf(settleBatches(plan({ batches: careful }), 1, true))).toBe(2)
    expect(emptyBatchOf(settleBatches(plan({ batches: careful }), 2, true))).toBeUndefined()
    expect(emptyBatchOf(settleBatches(plan({ batches: careful }), 0, true))).toBeUndefined()
  })
})
