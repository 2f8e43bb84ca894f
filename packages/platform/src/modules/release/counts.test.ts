import { WorkloadTemplate } from '@slipway/contract'
import { expect, test } from 'vitest'

import { countsOfReturn, settleCounts, type CountsInput } from './counts.ts'

const template = WorkloadTemplate.parse({
  processes: { web: { kind: 'web', instances: 2 }, worker: { kind: 'worker' } },
})
const input = (change: Partial<CountsInput>): CountsInput => ({
  template,
  current: {},
  asked: {},
  serving: 2,
  ...change,
})

const cases: [what: string, input: CountsInput, expected: unknown][] = [
  ['what the Image says', input({}), { instances: { web: 2, worker: 1 }, asked: [] }],
  [
    'what the Workload asks for',
    input({ current: { web: 5 } }),
    { instances: { web: 5, worker: 1 }, asked: [] },
  ],
  [
    'what is given with the Release',
    input({ current: { web: 5 }, asked: { web: 3 } }),
    { instances: { web: 3, worker: 1 }, asked: ['web'] },
  ],
  [
    'nothing for a stopped Workload: refused',
    input({ current: { web: 0 }, serving: 0 }),
    { kind: 'stopped', process: 'web' },
  ],
  [
    'a number for a stopped Workload wakes it',
    input({ current: { web: 0 }, asked: { web: 1 }, serving: 0 }),
    { instances: { web: 1, worker: 1 }, asked: ['web'] },
  ],
  [
    'an outspoken 0 for a stopped Workload',
    input({ current: { web: 0 }, asked: { web: 0 }, serving: 0 }),
    { instances: { web: 0, worker: 1 }, asked: ['web'] },
  ],
  ['0 for what serves: refused', input({ asked: { web: 0 } }), { kind: 'stops', process: 'web', serving: 2 }],
  [
    '0 for a process that answers nobody',
    input({ asked: { worker: 0 } }),
    { instances: { web: 2, worker: 0 }, asked: ['worker'] },
  ],
]
test.each(cases)('a Release brings %s', (_, given, expected) => expect(settleCounts(given)).toEqual(expected))

test('a way back keeps the count there is, and where that is 0 brings what the Release had', () => {
  expect(countsOfReturn(template, { web: 5 }, { web: 3 })).toEqual({
    instances: { web: 5, worker: 1 },
    asked: [],
  })
  expect(countsOfReturn(template, { web: 0 }, { web: 3 })).toEqual({
    instances: { web: 3, worker: 1 },
    asked: ['web'],
  })
  // It had none either, or is of a time when that was not written down.
  for (const before of [{ web: 0 }, {}])
    expect(countsOfReturn(template, { web: 0 }, before).instances).toEqual({ web: 2, worker: 1 })
})
