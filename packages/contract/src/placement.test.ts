import { expect, test } from 'vitest'

import { AppManifest } from './app.ts'
import { Placement } from './placement.ts'

const problems = (value: unknown): string[] =>
  (Placement.safeParse(value).error?.issues ?? []).map(
    ({ path, message }) => `${path.map(String).join('.')}: ${message}`,
  )

test('an empty placement has every list', () =>
  expect(Placement.parse({})).toEqual({ nodes: [], spread: [], apart: [], together: [] }))

test('what is usual need not be said', () =>
  expect(
    Placement.parse({
      nodes: [{ label: 'disk', values: ['ssd'] }],
      spread: [{ over: 'zone' }],
      apart: [{ application: 'api' }],
    }),
  ).toMatchObject({
    nodes: [{ operator: 'In' }],
    spread: [{ required: false, skew: 1 }],
    apart: [{ over: 'host' }],
  }))

const refused: [what: string, value: unknown, problem: string][] = [
  ['In without values', { nodes: [{ label: 'disk' }] }, 'nodes.0.values: In needs at least one value'],
  [
    'Exists with values',
    { nodes: [{ label: 'gpu', operator: 'Exists', values: ['yes'] }] },
    'nodes.0.values: Exists asks for the label only: leave the values out',
  ],
  [
    'Gt with a word',
    { nodes: [{ label: 'cores', operator: 'Gt', values: ['many'] }] },
    'nodes.0.values: Gt compares with one whole number, such as ["8"]',
  ],
  [
    'a label that is none',
    { nodes: [{ label: 'my disk', operator: 'Exists' }] },
    'nodes.0.label: the name of a node label is expected, such as disk or topology.kubernetes.io/zone',
  ],
  [
    'a spread said twice',
    { spread: [{ over: 'host' }, { over: 'host', required: true }] },
    'spread: host and zone may stand here once each',
  ],
]
test.each(refused)('refuses %s with the field and what to write', (_, value, problem) =>
  expect(problems(value)).toEqual([problem]),
)

test('every list has an end', () => {
  const many = (count: number, one: unknown): unknown[] => Array.from({ length: count }, () => one)
  expect(problems({ nodes: many(17, { label: 'a', operator: 'Exists' }) })).toHaveLength(1)
  expect(problems({ apart: many(9, { application: 'api' }) })).toHaveLength(1)
  expect(problems({ together: many(9, { application: 'api' }) })).toHaveLength(1)
  expect(problems({ nodes: [{ label: 'a', values: many(33, 'b') }] })).toHaveLength(1)
})

test('slipway.yaml says it of a process', () => {
  const { processes } = AppManifest.parse({
    version: 1,
    processes: { web: { kind: 'web', placement: { spread: [{ over: 'host', required: true }] } } },
  })
  expect(processes['web']?.placement?.spread).toEqual([{ over: 'host', required: true, skew: 1 }])
})
