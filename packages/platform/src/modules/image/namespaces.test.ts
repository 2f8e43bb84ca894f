import { envelopeOf, newMasterKey, systemClock } from '@slipway/kit'
import { expect, test } from 'vitest'

import type { ControlContext } from '../../control/index.ts'
import type { ClusterConnection } from '../fleet/index.ts'
import { namespaces } from './namespaces.ts'

const wanted = {
  organizationId: 'org_1',
  projectId: 'prj_1',
  clusterId: 'clu_1',
  namespace: 'shop-test',
  labels: {},
}

/** A Cluster that counts what is written, and a database that knows one robot and counts how often it is asked for. */
function scene() {
  const envelope = envelopeOf(newMasterKey())
  const rotatedAt = new Date()
  const secret = envelope.seal('secret', ['org_1', 'robot', 'rob_1', rotatedAt.toISOString()])
  const counts = { robots: 0, applies: 0 }
  let fails = 0
  const robot = { ...wanted, id: 'rob_1', secret, secretHash: '', previousHash: null, rotatedAt }
  // Nothing else of either is used by what is tried here.
  const context = {
    clock: systemClock,
    envelope,
    installationId: 'ins_1',
    settings: { port: 7447 },
    signal: new AbortController().signal,
    transact: async () => {
      counts.robots += 1
      await Promise.resolve()
      return robot
    },
  } as unknown as ControlContext
  const apply = async (): Promise<void> => {
    counts.applies += 1
    await Promise.resolve()
    fails -= 1
    if (fails >= 0) throw new Error('refused')
  }
  const connection = { kube: { apply } } as unknown as ClusterConnection
  return { context, connection, counts, fail: (times: number) => (fails = times) }
}

test('Workloads that begin at once in one namespace share one robot and write it once', async () => {
  const { context, connection, counts } = scene()
  const prepared = namespaces()
  await Promise.all(Array.from({ length: 8 }, () => prepared.prepare(context, connection, wanted)))
  expect(counts).toEqual({ robots: 1, applies: 2 })
  await prepared.prepare(context, connection, wanted)
  expect(counts).toEqual({ robots: 1, applies: 2 })
})

test('what failed for all who waited is tried again by the next', async () => {
  const { context, connection, counts, fail } = scene()
  const prepared = namespaces()
  fail(1)
  const both = [0, 1].map(() => prepared.prepare(context, connection, wanted))
  await expect(Promise.allSettled(both)).resolves.toMatchObject([
    { status: 'rejected' },
    { status: 'rejected' },
  ])
  await prepared.prepare(context, connection, wanted)
  expect(counts).toEqual({ robots: 2, applies: 3 })
})
