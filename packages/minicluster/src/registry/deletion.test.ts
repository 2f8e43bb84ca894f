import { expect, test } from 'vitest'

import type { AnyObject, DeleteOptions } from '../model.ts'
import { decideDeletion, isFinished } from './deletion.ts'
import { definitionOf } from './resources.ts'

const NOW = new Date('2026-01-01T00:00:00Z')

type Parts = { readonly metadata?: object; readonly spec?: object; readonly status?: object }

function object(kind: string, { metadata = {}, ...rest }: Parts = {}): AnyObject {
  return {
    apiVersion: 'v1',
    kind,
    metadata: {
      name: 'x',
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...metadata,
    },
    ...rest,
  }
}

const bound = { nodeName: 'n' }
const going = { deletionTimestamp: '2026-01-01T00:00:20Z', deletionGracePeriodSeconds: 20 }

test.each<[string, AnyObject, DeleteOptions, string | object]>([
  [
    'runs: gets 30 s',
    object('Pod', { spec: bound }),
    {},
    { deletionGracePeriodSeconds: 30, deletionTimestamp: '2026-01-01T00:00:30Z' },
  ],
  [
    'has its own time',
    object('Pod', { spec: { ...bound, terminationGracePeriodSeconds: 5 } }),
    {},
    { deletionGracePeriodSeconds: 5 },
  ],
  [
    'is given less',
    object('Pod', { spec: bound }),
    { gracePeriodSeconds: 1 },
    { deletionGracePeriodSeconds: 1 },
  ],
  ['is given none', object('Pod', { spec: bound }), { gracePeriodSeconds: 0 }, 'erase'],
  ['is on no node', object('Pod', { spec: {} }), {}, 'erase'],
  ['has failed', object('Pod', { spec: bound, status: { phase: 'Failed' } }), {}, 'erase'],
  ['counts generations', object('Pod', { metadata: { generation: 3 }, spec: bound }), {}, { generation: 4 }],
  [
    'goes already, later asked for',
    object('Pod', { metadata: going, spec: bound }),
    { gracePeriodSeconds: 60 },
    'keep',
  ],
  [
    'goes already, sooner asked for',
    object('Pod', { metadata: going, spec: bound }),
    { gracePeriodSeconds: 5 },
    { deletionTimestamp: '2026-01-01T00:00:05Z' },
  ],
  [
    'goes already, at once asked for',
    object('Pod', { metadata: going, spec: bound }),
    { gracePeriodSeconds: 0 },
    'erase',
  ],
  [
    'is held, at once asked for',
    object('Pod', { metadata: { ...going, finalizers: ['f/g'] }, spec: bound }),
    { gracePeriodSeconds: 0 },
    { deletionGracePeriodSeconds: 0, finalizers: ['f/g'] },
  ],
])('a pod that %s', (_, pod, options, expected) => {
  check(decideDeletion(definitionOf('pods'), pod, options, NOW), expected)
})

test.each<[string, AnyObject, DeleteOptions, string | object]>([
  ['nothing holds', object('ConfigMap'), {}, 'erase'],
  [
    'a finalizer holds',
    object('ConfigMap', { metadata: { finalizers: ['f/g'] } }),
    {},
    { deletionGracePeriodSeconds: 0, finalizers: ['f/g'] },
  ],
  [
    'is to go after its dependents',
    object('ConfigMap'),
    { propagationPolicy: 'Foreground' },
    { finalizers: ['foregroundDeletion'] },
  ],
  [
    'is to leave its dependents',
    object('ConfigMap'),
    { propagationPolicy: 'Orphan' },
    { finalizers: ['orphan'] },
  ],
  [
    'first was to leave them, then not',
    object('ConfigMap', { metadata: { finalizers: ['orphan'] } }),
    { propagationPolicy: 'Background' },
    'erase',
  ],
  [
    'says so itself',
    object('ConfigMap', { metadata: { finalizers: ['foregroundDeletion'] } }),
    {},
    { finalizers: ['foregroundDeletion'] },
  ],
])('an object that %s', (_, one, options, expected) => {
  check(decideDeletion(definitionOf('configmaps'), one, options, NOW), expected)
})

test('a Job leaves its pods unless told otherwise', () => {
  check(decideDeletion(definitionOf('jobs'), object('Job'), {}, NOW), { finalizers: ['orphan'] })
  check(
    decideDeletion(definitionOf('jobs'), object('Job'), { propagationPolicy: 'Background' }, NOW),
    'erase',
  )
})

test('a namespace waits for its contents', () => {
  const namespace = object('Namespace', { spec: { finalizers: ['kubernetes'] } })
  const decision = decideDeletion(definitionOf('namespaces'), namespace, {}, NOW)
  expect(decision).toMatchObject({ kind: 'put', object: { status: { phase: 'Terminating' } } })
  const marked = decision.kind === 'put' ? decision.object : namespace
  expect(isFinished(definitionOf('namespaces'), marked)).toBe(false)
  expect(isFinished(definitionOf('namespaces'), { ...marked, spec: {} })).toBe(true)
})

function check(decision: ReturnType<typeof decideDeletion>, expected: string | object): void {
  if (typeof expected === 'string') expect(decision.kind).toBe(expected)
  else expect(decision).toMatchObject({ kind: 'put', object: { metadata: expected } })
}
