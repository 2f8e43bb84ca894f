import { expect, test } from 'vitest'

import { memory } from './memory.ts'
import { restartsOf } from './observe.ts'

const T0 = new Date('2026-01-01T10:00:00Z')
const release = { id: 'rel_1', createdAt: T0 }

function podWith(restartCount: number, reason: string, createdAt = T0) {
  const metadata = {
    uid: 'pod',
    name: 'pod',
    resourceVersion: '1',
    creationTimestamp: createdAt.toISOString(),
  }
  const ended = { exitCode: 137, reason }
  const status = {
    containerStatuses: [
      { name: 'main', image: '', imageID: '', ready: false, restartCount, lastState: { terminated: ended } },
    ],
  }
  return restartsOf({ metadata, status })
}

test('restarts of an Instance that a release made count from its first', () => {
  expect(memory().crashes(release, [podWith(3, 'Error')])).toBe(3)
})

test('restarts before the release are not held against it', () => {
  const known = memory()
  const earlier = new Date(T0.getTime() - 3_600_000)
  expect(known.crashes(release, [podWith(3, 'Error', earlier)])).toBe(0)
  expect(known.crashes(release, [podWith(5, 'Error', earlier)])).toBe(2)
})

test.each(['Unknown', 'ContainerStatusUnknown', 'Terminated'])(
  'an Instance that went down with its node has not crashed (%s), and its own crashes count from then on',
  (reason) => {
    const known = memory()
    expect(known.crashes(release, [podWith(3, reason)])).toBe(0)
    expect(known.crashes(release, [podWith(5, 'Error')])).toBe(2)
    expect(known.crashes(release, [podWith(6, reason)])).toBe(0)
  },
)
