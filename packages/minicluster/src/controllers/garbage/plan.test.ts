import { expect, test } from 'vitest'

import type { AnyObject } from '../../model.ts'
import { type DependentStep, type OwnerState, planDependent, planOwner } from './plan.ts'

type Shape = {
  readonly owners?: readonly string[]
  readonly finalizers?: readonly string[]
  readonly going?: boolean
  readonly blocks?: boolean
}

function object(name: string, { owners = [], finalizers, going, blocks = true }: Shape = {}): AnyObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...(finalizers ? { finalizers } : {}),
      ...(going ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
      ownerReferences: owners.map((uid) => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        name: uid,
        uid,
        blockOwnerDeletion: blocks,
      })),
    },
  }
}

/** Owners are named after the state they are in. */
const stateOf = ({ name }: { readonly name: string }): OwnerState => name as OwnerState

const dependents: [when: string, shape: Shape, blocking: boolean, step: DependentStep][] = [
  ['nobody owns it', {}, false, { kind: 'keep' }],
  ['its owner is there', { owners: ['solid'] }, false, { kind: 'keep' }],
  ['its owner is gone', { owners: ['absent'] }, false, { kind: 'delete', policy: 'Background' }],
  ['its owner is of an unknown kind', { owners: ['unknown'] }, false, { kind: 'keep' }],
  [
    'one of two owners is gone',
    { owners: ['solid', 'absent'] },
    false,
    { kind: 'drop-references', uids: ['absent'] },
  ],
  ['its owner waits for it', { owners: ['waiting'] }, false, { kind: 'delete', policy: 'Background' }],
  [
    'its owner waits and others block it',
    { owners: ['waiting'] },
    true,
    { kind: 'delete', policy: 'Foreground' },
  ],
  [
    'one owner waits, another stays',
    { owners: ['solid', 'waiting'] },
    true,
    { kind: 'drop-references', uids: ['waiting'] },
  ],
  ['it is going already', { owners: ['absent'], going: true }, false, { kind: 'keep' }],
  [
    'its own dependents are to be orphaned',
    { owners: ['absent'], finalizers: ['orphan'] },
    false,
    { kind: 'delete', policy: 'Orphan' },
  ],
]
test.each(dependents)('a dependent when %s', (_, shape, blocking, step) =>
  expect(planDependent(object('x', shape), stateOf, blocking)).toEqual(step),
)

const child = object('child', { owners: ['x'] })
const loose = object('loose', { owners: ['x'], blocks: false })
const owners: [when: string, shape: Shape, children: readonly AnyObject[], kind: string][] = [
  ['it is not deleted', { finalizers: ['foregroundDeletion'] }, [child], 'nothing'],
  ['it is deleted in the background', { going: true }, [child], 'nothing'],
  [
    'foreground, a child blocks it',
    { going: true, finalizers: ['foregroundDeletion'] },
    [child],
    'wait-for-dependents',
  ],
  [
    'foreground, the children do not block it',
    { going: true, finalizers: ['foregroundDeletion'] },
    [loose],
    'finish',
  ],
  ['foreground, no children', { going: true, finalizers: ['foregroundDeletion'] }, [], 'finish'],
  [
    'orphan, children still refer to it',
    { going: true, finalizers: ['orphan'] },
    [loose],
    'release-dependents',
  ],
  ['orphan, none refer to it', { going: true, finalizers: ['orphan'] }, [], 'finish'],
]
test.each(owners)('an owner when %s', (_, shape, children, kind) =>
  expect(planOwner(object('x', shape), children).kind).toBe(kind),
)
