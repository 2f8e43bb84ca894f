import { expect, test } from 'vitest'

import type { Pod } from '../pods.ts'
import { evictionInMs, lostConditions, type Node, type Taint, wantedTaints } from './plan.ts'

const NOW = new Date('2026-01-01T00:10:00Z')

function node(ready: string | undefined, spec: object = {}): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n', uid: 'n', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec,
    status: {
      conditions:
        ready === undefined
          ? []
          : [
              { type: 'Ready', status: ready },
              { type: 'DiskPressure', status: 'False' },
            ],
    },
  }
}
const text = (taints: readonly Taint[]) => taints.map(({ key, effect }) => `${key}:${effect}`)

const taints: [when: string, node: Node, expected: readonly string[]][] = [
  ['ready: none', node('True'), []],
  ['cordoned', node('True', { unschedulable: true }), ['node.kubernetes.io/unschedulable:NoSchedule']],
  [
    'not ready',
    node('False'),
    ['node.kubernetes.io/not-ready:NoSchedule', 'node.kubernetes.io/not-ready:NoExecute'],
  ],
  [
    'lost',
    node('Unknown'),
    ['node.kubernetes.io/unreachable:NoSchedule', 'node.kubernetes.io/unreachable:NoExecute'],
  ],
  [
    'well again: ours go, foreign ones stay',
    node('True', {
      taints: [
        { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' },
        { key: 'pool', value: 'x', effect: 'NoSchedule' },
      ],
    }),
    ['pool:NoSchedule'],
  ],
]
test.each(taints)('taints of a node, %s', (_, one, expected) =>
  expect(text(wantedTaints(one, NOW))).toEqual(expected),
)

test('a lost node is unknown in every respect, and said so once', () => {
  const conditions = lostConditions(node('True'), NOW)
  expect(conditions?.map(({ type, status, reason }) => [type, status, reason])).toEqual([
    ['Ready', 'Unknown', 'NodeStatusUnknown'],
    ['DiskPressure', 'Unknown', 'NodeStatusUnknown'],
  ])
  const lost = { ...node('True'), status: { conditions: conditions! } }
  expect(lostConditions(lost, NOW)).toBeUndefined()
})

type Toleration = NonNullable<NonNullable<Pod['spec']>['tolerations']>[number]
const taint: Taint = {
  key: 'node.kubernetes.io/unreachable',
  effect: 'NoExecute',
  timeAdded: '2026-01-01T00:09:30Z',
}
const evictions: [when: string, tolerations: readonly Toleration[], inMs: number | undefined][] = [
  ['nothing is tolerated: at once', [], 0],
  [
    'tolerated for a minute: in the rest of it',
    [{ key: taint.key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 }],
    30_000,
  ],
  ['the time is over', [{ key: taint.key, operator: 'Exists', tolerationSeconds: 10 }], 0],
  ['tolerated for ever', [{ operator: 'Exists' }], undefined],
  [
    'the shorter of two counts',
    [{ operator: 'Exists' }, { key: taint.key, operator: 'Exists', tolerationSeconds: 60 }],
    30_000,
  ],
  ['another effect is tolerated only', [{ key: taint.key, operator: 'Exists', effect: 'NoSchedule' }], 0],
  ['another value', [{ key: taint.key, operator: 'Equal', value: 'x' }], 0],
]
test.each(evictions)('eviction, %s', (_, tolerations, inMs) => {
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', uid: 'p', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { containers: [{ name: 'a' }], tolerations },
  }
  expect(evictionInMs(pod, [taint], NOW)).toBe(inMs)
})
