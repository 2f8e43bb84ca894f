import { expect, test } from 'vitest'

import type { AnyObject } from '../model.ts'
import { newShare } from './sharing.ts'

function pod(name: string, image: string): AnyObject {
  const metadata = {
    name,
    namespace: 'default',
    uid: name,
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels: { app: 'web' },
    managedFields: [
      {
        manager: 'kubelet',
        operation: 'Update' as const,
        apiVersion: 'v1',
        time: '2026-01-01T00:00:00Z',
        fieldsType: 'FieldsV1' as const,
        fieldsV1: { 'f:spec': { 'f:containers': {} } },
      },
    ],
  }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    spec: { nodeName: name, containers: [{ name: 'main', image }] },
  }
}

const containersOf = (object: AnyObject): unknown => (object['spec'] as { containers: unknown }).containers

test('what two objects have in common is kept once, and each reads as it was', () => {
  const share = newShare()
  const [one, two, other] = [share(pod('a', 'x')), share(pod('b', 'x')), share(pod('c', 'y'))]
  expect([one, two, other]).toEqual([pod('a', 'x'), pod('b', 'x'), pod('c', 'y')])
  expect(containersOf(two)).toBe(containersOf(one))
  expect(two.metadata.labels).toBe(one.metadata.labels)
  expect(two.metadata.managedFields?.[0]?.fieldsV1).toBe(one.metadata.managedFields?.[0]?.fieldsV1)
  expect(containersOf(other)).not.toBe(containersOf(one))
})

test('shared parts are frozen', () => {
  expect(Object.isFrozen(containersOf(newShare()(pod('a', 'x'))))).toBe(true)
})

test('parts that are met all the time stay known among thousands that are met once', () => {
  const share = newShare()
  const first = share(pod('first', 'often'))
  for (let index = 0; index < 3_000; index += 1) {
    share(pod(`p${index}`, `image-${index}`))
    if (index % 100 === 0) share(pod(`o${index}`, 'often'))
  }
  expect(containersOf(share(pod('last', 'often')))).toBe(containersOf(first))
})

test('objects without a spec, or with one that is no object, pass unharmed', () => {
  const share = newShare()
  const { spec: _, ...plain } = pod('a', 'x')
  expect(share(plain)).toEqual(plain)
  expect(share({ ...plain, spec: null })).toEqual({ ...plain, spec: null })
})
