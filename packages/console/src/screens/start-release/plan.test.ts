import { WorkloadTemplate } from '@slipway/contract'
import { expect, test } from 'vitest'

import {
  countsWithin,
  optionsText,
  planOf,
  stepsText,
  usualCounts,
  type PlanForm,
  type Step,
} from './plan.ts'

const step = (percent: number, rest: Partial<Step> = {}): Step => ({
  percent,
  weight: null,
  approve: false,
  soakSeconds: 0,
  ...rest,
})
const form = (rest: Partial<PlanForm>): PlanForm => ({
  kind: 'quick',
  steps: [],
  onFail: 'rollback',
  probePath: '',
  capacity: 'require',
  ...rest,
})

test('all at once is one batch of everything', () => {
  expect(planOf(form({ kind: 'quick' }))).toEqual({
    batches: [{ percent: 100 }],
    onFail: 'rollback',
    capacity: 'require',
  })
})

test('the careful plan asks a person after the first Instance', () => {
  expect(planOf(form({ kind: 'careful' })).batches).toEqual([
    { instances: 1, approve: true },
    { percent: 100 },
  ])
})

test('own steps say their share, and their traffic only when it differs', () => {
  const steps = [step(25, { weight: 5, soakSeconds: 60 }), step(100, { approve: true })]
  expect(planOf(form({ kind: 'steps', steps, onFail: 'hold', probePath: ' /healthz ' }))).toEqual({
    batches: [
      { percent: 25, weight: 5, approve: false, soakSeconds: 60 },
      { percent: 100, approve: true, soakSeconds: 0 },
    ],
    onFail: 'hold',
    capacity: 'require',
    probe: { path: '/healthz' },
  })
})

const lines: [when: string, form: PlanForm, line: string][] = [
  ['all at once', form({ kind: 'quick' }), 'rest'],
  ['one, a person, the rest', form({ kind: 'careful' }), '1,person,rest'],
  [
    'own steps',
    form({ kind: 'steps', steps: [step(25, { weight: 5, soakSeconds: 60 }), step(100, { approve: true })] }),
    '25%,weight 5%,soak 60s,rest,person',
  ],
]

test.each(lines)('the command says the same: %s', (_, given, line) => expect(stepsText(given)).toBe(line))

test('the command says what is not as usual about Instances and room', () => {
  expect(optionsText({ capacity: 'require' }, {})).toBe('')
  expect(optionsText({ capacity: 'lower' }, { web: 4, worker: 0 })).toBe(
    ' --instances web=4,worker=0 --capacity lower',
  )
})

test('a process runs as many Instances as the Workload asks for, else as its Image says', () => {
  const template = WorkloadTemplate.parse({
    processes: { web: { kind: 'web', instances: 3 }, worker: { kind: 'worker' } },
  })
  expect(usualCounts(template, { instances: { web: 5, gone: 2 } })).toEqual({ web: 5, worker: 1 })
  expect(countsWithin(template, { web: 4, gone: 1 })).toEqual({ web: 4 })
})
