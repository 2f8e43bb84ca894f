import { expect, test } from 'vitest'

import { excludedWords, troubleWords } from './excluded.ts'
import { instanceText } from './instance.ts'
import { releaseText } from './release.ts'

test('a measure says which condition excludes how many nodes, in both languages', () => {
  const excluded = 'label disk=ssd × 3; cpu × 2'
  expect(excludedWords('en', excluded, 5)).toBe(
    '3 of 5 nodes without disk=ssd, 2 of 5 nodes with too little CPU free',
  )
  expect(excludedWords('zh-CN', excluded, 5)).toBe(
    '5 个节点中有 3 个没有 disk=ssd，5 个节点中有 2 个剩余 CPU 不足',
  )
  expect(excludedWords('en', 'apart api × 1; rule cores > 8 × 1', 2)).toBe(
    '1 of 2 nodes beside api, from which these are to be apart, 1 of 2 nodes where "cores > 8" does not hold',
  )
  expect(excludedWords('en', '', 0)).toBe('the Cluster has no nodes')
  expect(excludedWords('en', 'of tomorrow', 2)).toBe('of tomorrow')
})

test('a reason that waits for room says it', () =>
  expect(
    releaseText('en', 'gate_capacity', {
      seconds: 5,
      room: 0,
      wanted: 2,
      process: 'web',
      lacks: 'nodes',
      nodes: 5,
      excluded: 'label disk=ssd × 5',
    }),
  ).toContain('of web: 5 of 5 nodes without disk=ssd'))

const spoken: [said: string, words: string][] = [
  [
    "Unschedulable: 0/5 nodes are available: 3 node(s) didn't match Pod's node affinity/selector, 2 Insufficient cpu. preemption: 0/5 nodes are available: 2 No preemption victims found.",
    '3 of 5 nodes without the labels asked for, 2 of 5 nodes with too little CPU free',
  ],
  [
    '0/2 nodes are available: 1 node(s) had untolerated taint {slipway/pool: gpu}, 1 node(s) were unschedulable. no new claims to deallocate',
    '1 of 2 nodes kept for others (taint slipway/pool=gpu), 1 of 2 nodes closed to new Instances',
  ],
  [
    '0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }.',
    '1 of 1 nodes not ready',
  ],
  [
    '0/3 nodes are available: 1 node(s) had untolerated taint(s).',
    '1 of 3 nodes not ready or kept for others',
  ],
  [
    "0/2 nodes are available: 1 node(s) didn't match pod anti-affinity rules, 1 node(s) didn't match pod topology spread constraints (missing required label).",
    '1 of 2 nodes beside the others, from which these are to be apart, 1 of 2 nodes where the spread would be uneven',
  ],
  [
    '0/3 nodes are available: 3 node(s) had a volume that is elsewhere.',
    '3 of 3 nodes: node(s) had a volume that is elsewhere',
  ],
  ['CrashLoopBackOff: back-off 10s', 'CrashLoopBackOff: back-off 10s'],
]
test.each(spoken)('the scheduler is understood: %s', (said, words) =>
  expect(troubleWords('en', said)).toBe(words),
)

test('an Instance that no node takes says it in the same words', () =>
  expect(
    instanceText('en', 'instance_unschedulable', { problem: '0/1 nodes are available: 1 Insufficient cpu.' }),
  ).toBe('no node takes it: 1 of 1 nodes with too little CPU free'))
