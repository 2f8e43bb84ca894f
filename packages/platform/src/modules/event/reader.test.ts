import type { Change } from '@slipway/contract'
import { manualClock, systemClock, waitFor } from '@slipway/kit'
import { expect, test } from 'vitest'

import { noAccess, type Access } from '../access/index.ts'
import type { Batch, Logged } from './model.ts'
import { subscriptionOf } from './plan.ts'
import { readerOf } from './reader.ts'
import { follow } from './routes.ts'

const auditor: Access = { ...noAccess, platformRoles: ['auditor'] }
const everything = subscriptionOf({})

function changed(id: string, transaction: bigint): Logged {
  const place = { organizationId: 'o', projectId: 'p', applicationId: null, workloadId: null }
  const change: Change = { type: 'project', id, change: 'changed', version: 1, ...place }
  return { change, transaction }
}
const batch = (snapshot: string, ...changes: Logged[]): Batch => ({
  changes,
  cursor: { log: 'evt_1', snapshot },
  reset: false,
})
const told = (reader: ReturnType<typeof readerOf>): string[] => reader.next().changes.map(({ id }) => id)

test('what a reader has read itself the hub does not tell it again, and what it could not see then is told', () => {
  const reader = readerOf(auditor, everything)
  reader.take(batch('90:95:', changed('before', 89n)))
  reader.begin(batch('100:110:105', changed('missed', 99n)), [])
  reader.take(
    batch('100:112:', changed('read already', 103n), changed('ran then', 105n), changed('new', 111n)),
  )
  reader.take(batch('120:120:', changed('later', 103n)))
  const next = reader.next()
  expect(next.changes.map(({ id }) => id)).toEqual(['missed', 'ran then', 'new', 'later'])
  expect(next.cursor).toBe('evt_1.120:120:')
})

test('a batch from before a reader began does not set it back', () => {
  const reader = readerOf(auditor, everything)
  reader.take(batch('90:95:'))
  reader.begin(batch('100:110:'), [])
  expect(reader.next().cursor).toBe('evt_1.100:110:')
})

test('with another access everything is read again instead of what waited under the old one', () => {
  const reader = readerOf(auditor, everything)
  reader.begin(batch('1:1:'), [])
  reader.take(batch('5:5:', changed('a', 4n)))
  reader.accessIs(noAccess)
  expect(reader.next()).toMatchObject({ access: noAccess, changes: [] })
  reader.take(batch('7:7:', changed('b', 6n)))
  expect(told(reader)).toEqual([])
})

test('a reader that leaves too much lying is cut off; the same object changing again and again is not too much', () => {
  const reader = readerOf(auditor, everything)
  reader.begin(batch('1:1:'), [])
  for (let count = 0; count < 20_000; count += 1) reader.take(batch('5:5:', changed('one', 4n)))
  expect(told(reader)).toEqual(['one'])
  for (let count = 0; count < 6_000; count += 1) reader.take(batch('5:5:', changed(`id ${count}`, 4n)))
  expect(() => reader.next()).toThrow(expect.objectContaining({ code: 'event_reader_slow' }))
})

test('a reader whose connection takes nothing is cut off after a while', async () => {
  const clock = manualClock()
  let deliver: (batch: Batch) => void = () => undefined
  const hub = {
    async subscribe(listener: typeof deliver) {
      deliver = listener
      return { [Symbol.dispose]: () => undefined }
    },
    missed: async () => batch('1:1:'),
    start: async () => undefined,
    hintInstances: () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }
  const sent: string[] = []
  const call = {
    input: { params: {}, query: {}, body: undefined },
    ctx: { clock, signal: new AbortController().signal, account: { access: auditor } },
    lastEventId: 'evt_1.1:1:',
    onRecheck: () => undefined,
    send(event: { readonly event?: string }) {
      sent.push(event.event ?? '')
      // The first one is taken, the others never are.
      return sent.length === 1 ? Promise.resolve() : new Promise<void>(() => undefined)
    },
  }
  // Only what following uses.
  const ended = follow(call as unknown as Parameters<typeof follow>[0], { hub, finders: {} }).catch(
    (thrown: unknown) => thrown,
  )
  const sentAll = (count: number): Promise<unknown> =>
    waitFor(systemClock, `${count} events`, () => sent.length === count, { timeoutMs: 10_000 })
  await sentAll(1)
  deliver(batch('5:5:', changed('a', 4n)))
  await sentAll(2)
  await clock.advance(31_000)
  expect(await ended).toMatchObject({ code: 'event_reader_slow', status: 503 })
})
