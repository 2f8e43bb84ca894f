import type { Pool } from '@slipway/contract'
import { expect, test } from 'vitest'

import { changeWords, linesOf, selectorOf } from './labels.ts'

test.each([
  [[], null],
  [['disk=ssd'], { disk: 'ssd' }],
  [['slipway/kernel=6.1', 'zone='], { 'slipway/kernel': '6.1', zone: '' }],
  [['disk'], undefined],
  [['=ssd'], undefined],
  [['disk=ssd', 'disk=nvme'], undefined],
])('the lines %j ask for %j', (lines, selector) => {
  expect(selectorOf(lines)).toEqual(selector)
  if (selector !== undefined) expect(linesOf(selector)).toEqual(lines)
})

const before: Pool = {
  id: 'pol_00000000000000000000000000',
  clusterId: 'cls_00000000000000000000000000',
  slug: 'gpu',
  name: 'gpu',
  exclusive: false,
  selector: { disk: 'ssd' },
  nodes: [],
  rent: null,
  problem: null,
  deleting: false,
  createdAt: '2026-01-01T00:00:00.000Z',
}

test.each([
  ['another name', { name: 'fast' }, '--name <name>'],
  ['closing it', { exclusive: true }, '--exclusive'],
  ['other labels', { selector: { disk: 'nvme', zone: 'a' } }, '--labels disk=nvme,zone=a'],
  ['nodes by name only', { selector: null }, '--only-named'],
  ['several things', { exclusive: true, selector: null }, '--exclusive --only-named'],
])('%s is said by the words of the command', (_, change, words) => {
  expect(changeWords(before, { ...before, ...change })).toBe(words)
})
