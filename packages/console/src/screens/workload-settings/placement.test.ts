import type { NodeCondition } from '@slipway/contract'
import { expect, test } from 'vitest'

import {
  differenceOf,
  EMPTY,
  evennessOf,
  isComplete,
  linesOf,
  takesValues,
  weighed,
  withEvenness,
} from './placement.ts'

const disk: NodeCondition = { label: 'disk', operator: 'In', values: ['ssd', 'nvme'] }
const cache = { application: 'cache', over: 'host' as const, weight: 20 }

test('evenness is set, made harder, and taken out', () => {
  const soft = withEvenness(EMPTY, 'zone', 'soft')
  expect(evennessOf(soft, 'zone')).toBe('soft')
  expect(evennessOf(soft, 'host')).toBe('none')
  const skewed = { ...soft, spread: [{ over: 'zone' as const, required: false, skew: 3 }] }
  expect(withEvenness(skewed, 'zone', 'hard').spread).toEqual([{ over: 'zone', required: true, skew: 3 }])
  expect(withEvenness(skewed, 'zone', 'none')).toEqual(EMPTY)
})

test('what has a weight is a wish, what has none a condition', () => {
  expect(weighed(disk, 30)).toEqual({ ...disk, weight: 30 })
  expect(weighed({ ...disk, weight: 30 }, undefined)).toEqual(disk)
})

test.each([
  ['nothing', EMPTY, true],
  ['a whole condition', { ...EMPTY, nodes: [disk] }, true],
  ['a label without values', { ...EMPTY, nodes: [{ ...disk, values: [] }] }, false],
  [
    'a label that only has to be there',
    { ...EMPTY, nodes: [{ label: 'gpu', operator: 'Exists' as const, values: [] }] },
    true,
  ],
  ['no label', { ...EMPTY, nodes: [{ ...disk, label: '' }] }, false],
  ['a neighbour without a name', { ...EMPTY, apart: [{ ...cache, application: '' }] }, false],
])('%s is complete: %s', (_, placement, complete) => expect(isComplete(placement)).toBe(complete))

test('two operators ask for the label alone', () => {
  expect((['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'] as const).filter(takesValues)).toEqual([
    'In',
    'NotIn',
    'Gt',
    'Lt',
  ])
})

test('a change says what goes and what comes, whatever the order', () => {
  const before = { ...EMPTY, nodes: [disk], apart: [cache] }
  const after = { ...withEvenness(before, 'host', 'hard'), nodes: [weighed(disk, 5), disk], apart: [] }
  expect(linesOf(before)).toEqual(['nodes disk In ssd, nvme', 'apart cache host weight 20'])
  expect(differenceOf(before, after as typeof before)).toEqual({
    removed: ['apart cache host weight 20'],
    added: ['nodes disk In ssd, nvme weight 5', 'spread host required skew 1'],
  })
})
