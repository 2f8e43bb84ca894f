import { openDatabase } from '@slipway/db'
import { testDatabase } from '@slipway/db/testing'
import { envelopeOf, newMasterKey, systemClock, waitFor } from '@slipway/kit'
import { pino } from 'pino'
import { expect, test } from 'vitest'

import type { Platform } from '../context.ts'
import { migrations } from '../migrations/index.ts'
import { checkSettings } from '../settings.ts'
import type { Tables } from '../tables.ts'
import { createDriver, type Reconciler } from './driver.ts'
import { wake } from './wake.ts'

const WAIT = { timeoutMs: 30_000 }

/** Everything of a process that a driver needs, with a database of its own. */
async function platformOf(owned: AsyncDisposableStack): Promise<Platform> {
  const made = owned.use(await testDatabase({ migrations }))
  const log = pino({ level: 'silent' })
  const parts = { clock: systemClock, random: Math.random, log }
  const masterKey = newMasterKey()
  const database = owned.use(await openDatabase<Tables>({ appUrl: made.appUrl, ...parts }))
  let ids = 0
  return {
    ...parts,
    database,
    newId: (prefix) => `${prefix}_${(ids += 1)}`,
    envelope: envelopeOf(masterKey),
    installationId: 'ins_1',
    settings: checkSettings({
      databaseUrl: made.appUrl,
      databaseOwnerUrl: made.ownerUrl,
      masterKey: masterKey.toString('base64'),
      dataFolder: '/nowhere',
      soleReplica: 'true',
    }),
  }
}

/** The same installation as another process sees it. */
function replicaOf(platform: Platform, name: string): Platform {
  const settings = { ...platform.settings, soleReplica: false }
  return { ...platform, settings, newId: (prefix) => `${prefix}_${name}` }
}

/** Counts its passes by the epoch they ran under. */
function countingReconciler(): { readonly epochs: number[]; readonly reconciler: Reconciler } {
  const epochs: number[] = []
  const reconcile: Reconciler['reconcile'] = async ({ epoch }) => {
    epochs.push(epoch)
    return { againInMs: 20 }
  }
  return {
    epochs,
    reconciler: reconcilerOf({ concurrency: 1, keys: () => Promise.resolve(['key']), reconcile }),
  }
}

function reconcilerOf(part: Pick<Reconciler, 'keys' | 'reconcile' | 'concurrency'>): Reconciler {
  return { name: 'test', resyncMs: 600_000, deadlineMs: 600_000, ...part }
}

test('who writes about a key ends the waiting of its pass, and the key is reconciled again; a hint does not', async () => {
  await using owned = new AsyncDisposableStack()
  const platform = await platformOf(owned)
  const passes: ('waiting' | 'heard')[] = []
  const driver = owned.use(
    createDriver(platform, [
      reconcilerOf({
        concurrency: 1,
        keys: () => Promise.resolve(['key']),
        async reconcile({ woken, signal }) {
          const pass = passes.push('waiting') - 1
          await new Promise<void>((resolve) => {
            for (const one of [woken, signal]) one.addEventListener('abort', () => resolve(), { once: true })
          })
          if (woken.aborted) passes[pass] = 'heard'
          return {}
        },
      }),
    ]),
  )
  await driver.start()
  await waitFor(systemClock, 'the first pass', () => passes.length === 1, WAIT)
  driver.nudge('test', 'key')
  await platform.database.transactAsSystem((db) => wake(db, 'test', 'another'))
  expect(passes).toEqual(['waiting'])
  await platform.database.transactAsSystem((db) => wake(db, 'test', 'key'))
  await waitFor(systemClock, 'the second pass', () => passes.length >= 2, WAIT)
  expect(passes[0]).toBe('heard')
})

test('two hundred keys that always want more get equal turns', async () => {
  await using owned = new AsyncDisposableStack()
  const platform = await platformOf(owned)
  const keys = Array.from({ length: 200 }, (_, index) => `key-${index}`)
  const turns = new Map(keys.map((key) => [key, 0]))
  let widest = 0
  const driver = owned.use(
    createDriver(platform, [
      reconcilerOf({
        concurrency: 8,
        keys: () => Promise.resolve(keys),
        async reconcile({ clock, signal }, key) {
          turns.set(key, (turns.get(key) ?? 0) + 1)
          const counts = [...turns.values()]
          widest = Math.max(widest, Math.max(...counts) - Math.min(...counts))
          await clock.sleep(1, signal)
          return { againInMs: 0 }
        },
      }),
    ]),
  )
  await driver.start()
  await waitFor(systemClock, 'ten turns for each', () => Math.min(...turns.values()) >= 10, WAIT)
  // Eight run at a time, so one key is at most a turn and those under way ahead.
  expect(widest).toBeLessThanOrEqual(2)
})

test('a leader that goes in order is followed at once, under a younger epoch, and does nothing any more', async () => {
  await using owned = new AsyncDisposableStack()
  const platform = await platformOf(owned)
  const [first, second] = [countingReconciler(), countingReconciler()]
  const leader = owned.use(createDriver(replicaOf(platform, 'a'), [first.reconciler]))
  const heir = owned.use(createDriver(replicaOf(platform, 'b'), [second.reconciler]))
  await leader.start()
  await waitFor(systemClock, 'the first to lead', () => first.epochs.length > 0, WAIT)
  await heir.start()
  await systemClock.sleep(0)
  expect(heir.isLeading()).toBe(false)
  await leader.retire()
  const passes = first.epochs.length
  // Long before the lease would have run out: it is handed over, not waited for.
  await waitFor(systemClock, 'the second to lead', () => second.epochs.length > 0, { timeoutMs: 9_000 })
  expect(second.epochs[0]).toBe((first.epochs[0] ?? 0) + 1)
  expect(leader.isLeading()).toBe(false)
  expect(first.epochs.length).toBe(passes)
})

test('a leader whose database does not answer stops before its lease runs out, and what it does is aborted', async () => {
  await using owned = new AsyncDisposableStack()
  const platform = await platformOf(owned)
  let aheadMs = 0
  let silent = false
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + aheadMs }
  const answer = Promise.withResolvers<never>()
  let hanging = 0
  const transactAsSystem: Platform['database']['transactAsSystem'] = (run, options) => {
    if (!silent) return platform.database.transactAsSystem(run, options)
    hanging += 1
    return answer.promise
  }
  const database = { ...platform.database, transactAsSystem }
  let aborted: unknown
  const driver = owned.use(
    createDriver({ ...replicaOf(platform, 'a'), clock, database }, [
      reconcilerOf({
        concurrency: 1,
        keys: () => Promise.resolve(['key']),
        async reconcile({ signal }) {
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
          aborted = signal.reason
          return {}
        },
      }),
    ]),
  )
  await driver.start()
  await waitFor(systemClock, 'it to lead', () => driver.isLeading(), WAIT)
  silent = true
  await waitFor(systemClock, 'a renewal to hang', () => hanging > 0, WAIT)
  aheadMs = 10_500
  await waitFor(systemClock, 'it to doubt', () => !driver.isLeading(), WAIT)
  await waitFor(systemClock, 'its work to be aborted', () => aborted !== undefined, WAIT)
  expect(String(aborted)).toContain('could not be renewed')
  silent = false
  answer.reject(new Error('the connection is gone'))
  await waitFor(systemClock, 'it to lead again', () => driver.isLeading(), WAIT)
})
