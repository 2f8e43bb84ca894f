import { messageOf, retryDelayMs, SECOND_MS } from '@slipway/kit'

import type { Platform } from '../context.ts'
import type { Db } from '../tables.ts'
import { keyQueue, type KeyQueue } from './queue.ts'
import { releaseLease, takeLease } from './queries.ts'
import { LEASE_FREE, WAKE_CHANNEL } from './wake.ts'

/*
 * Drives the reconcilers. Level-triggered: a wake-up names a key and carries no data; whoever wakes for nothing finds nothing
 * to do. The driver owns back-off, concurrency, deadlines and the resync that finds what a lost wake-up missed.
 *
 * One replica leads, by a lease in the database. The lease's epoch goes along with every write into a cluster, where an older
 * one is refused; losing the lease aborts everything under way.
 */
const LEASE = 'control'
/** A leader that was killed is followed after this and one renewal, at the latest. */
const LEASE_SECONDS = 12
const RENEW_MS = 3 * SECOND_MS
/** From the last renewal on: before the lease runs out, so that nobody leads when somebody else may. */
const BELIEVED_MS = (LEASE_SECONDS - 2) * SECOND_MS
const IDLE_MS = 1 * SECOND_MS
const BACK_OFF = { firstMs: 500, maxMs: 60_000 }

/** What a reconciler works with: everything of the process, the system's view of the database, and its fencing epoch. */
export type ControlContext = Platform & {
  readonly epoch: number
  /** Aborted at the deadline, when leadership is lost, and when the process stops. */
  readonly signal: AbortSignal
  /**
   * Aborted when somebody wrote about this key while it is reconciled. What merely waits for an answer gives up then, so that
   * a wish is heard at once; the key is reconciled again right after this pass.
   */
  readonly woken: AbortSignal
  readonly transact: <T>(run: (db: Db) => Promise<T>) => Promise<T>
}

export type Reconciler = {
  readonly name: string
  /** Every key that may need work; asked at the start and every `resyncMs`. */
  readonly keys: (db: Db) => Promise<readonly string[]>
  readonly resyncMs: number
  readonly concurrency: number
  readonly deadlineMs: number
  /** Reads everything afresh, decides, takes idempotent steps; `againInMs` asks to be called again. */
  readonly reconcile: (
    context: ControlContext,
    key: string,
  ) => Promise<{ readonly againInMs?: number | undefined }>
}

export type Driver = AsyncDisposable & {
  /** Starts leading as soon as the lease is free; resolves at once. */
  readonly start: () => Promise<void>
  readonly isLeading: () => boolean
  /** Ends what is under way and gives leadership to whoever waits for it, for good. */
  readonly retire: () => Promise<void>
  /** Makes a key due now, on this replica only and only while it leads: for hints from the world, which come to every replica. */
  readonly nudge: (reconciler: string, key: string) => void
}

type Lane = {
  readonly reconciler: Reconciler
  readonly queue: KeyQueue
  readonly attempts: Map<string, number>
  /** Of the keys under way: what tells their pass that somebody wrote about them. */
  readonly wakers: Map<string, AbortController>
  running: number
  nextResyncAtMs: number
  /** The walk through all keys that is under way. */
  round: { readonly startedAtMs: number; readonly keys: number; readonly left: Set<string> } | undefined
}

export function createDriver(platform: Platform, reconcilers: readonly Reconciler[]): Driver {
  const { clock, log, database } = platform
  const holder = platform.newId('rep')
  const lanes: readonly Lane[] = reconcilers.map((reconciler) => ({
    reconciler,
    queue: keyQueue(),
    attempts: new Map(),
    wakers: new Map(),
    running: 0,
    nextResyncAtMs: 0,
    round: undefined,
  }))
  const stopping = new AbortController()
  let leading: { readonly epoch: number; readonly lost: AbortController } | undefined
  let nudge: () => void = () => undefined
  let askForLease: () => void = () => undefined
  let renewedAtMs = clock.monotonicMs()
  let loop: Promise<void> = Promise.resolve()
  let renewals: Promise<void> = Promise.resolve()
  let listener: AsyncDisposable | undefined
  let doubts: Disposable | undefined
  const underWay = new Set<Promise<void>>()

  /** @param isNews - somebody wrote about the key, so that a pass under way knows less than there is to know */
  function onWake(payload: string | undefined, isNews: boolean): void {
    const nowMs = clock.monotonicMs()
    if (payload === LEASE_FREE) askForLease()
    else if (payload === undefined) for (const lane of lanes) lane.nextResyncAtMs = nowMs
    else {
      const [name, key] = payload.split(' ', 2)
      const lane = lanes.find(({ reconciler }) => reconciler.name === name)
      if (lane && key !== undefined) {
        lane.queue.add(key, nowMs)
        if (isNews) lane.wakers.get(key)?.abort(new Error('somebody wrote about it'))
      }
    }
    nudge()
  }

  async function renew(force: boolean): Promise<void> {
    // The lease runs from when the database hears of it, which is later.
    const askedAtMs = clock.monotonicMs()
    const epoch = await database.transactAsSystem((db) =>
      takeLease(db, { name: LEASE, holder, seconds: LEASE_SECONDS, force }),
    )
    renewedAtMs = askedAtMs
    if (epoch === undefined || (leading !== undefined && leading.epoch !== epoch))
      lose('another replica leads')
    if (epoch !== undefined && leading === undefined) {
      leading = { epoch, lost: new AbortController() }
      for (const lane of lanes) {
        lane.nextResyncAtMs = 0
        lane.round = undefined
      }
      log.info({ epoch }, 'leading')
      nudge()
    }
  }

  function lose(why: string): void {
    if (leading === undefined) return
    leading.lost.abort(new Error(why))
    leading = undefined
    log.warn({ why }, 'no longer leading')
  }

  async function keepLease(): Promise<void> {
    while (!stopping.signal.aborted) {
      const asked = new Promise<void>((resolve) => (askForLease = resolve))
      await renew(false).catch((thrown: unknown) =>
        log.warn({ error: messageOf(thrown) }, 'renewing the lease failed'),
      )
      await Promise.race([asked, clock.sleep(RENEW_MS, stopping.signal).catch(() => undefined)])
    }
  }

  /** Somebody else may lead once the lease has run out, whatever this process believes, and however long the database takes. */
  function doubtLease(): void {
    if (clock.monotonicMs() - renewedAtMs > BELIEVED_MS) lose('the lease could not be renewed')
  }

  async function retire(): Promise<void> {
    stopping.abort(new Error('the platform stops'))
    nudge()
    askForLease()
    await Promise.all([loop, renewals, ...underWay])
    if (leading === undefined) return
    leading = undefined
    await database
      .transactAsSystem((db) => releaseLease(db, LEASE, holder))
      .catch((thrown: unknown) => log.warn({ error: messageOf(thrown) }, 'releasing the lease failed'))
  }

  async function work(): Promise<void> {
    while (!stopping.signal.aborted) {
      const woken = new Promise<void>((resolve) => (nudge = resolve))
      if (leading) for (const lane of lanes) await advance(lane, leading)
      await Promise.race([woken, clock.sleep(waitMs(), stopping.signal).catch(() => undefined)])
    }
  }

  function waitMs(): number {
    const nowMs = clock.monotonicMs()
    const times = lanes.flatMap((lane) => [lane.queue.nextAtMs() ?? Infinity, lane.nextResyncAtMs])
    return Math.max(1, Math.min(IDLE_MS, ...times.map((atMs) => atMs - nowMs)))
  }

  async function advance(lane: Lane, leader: NonNullable<typeof leading>): Promise<void> {
    const nowMs = clock.monotonicMs()
    if (nowMs >= lane.nextResyncAtMs) await resync(lane)
    while (lane.running < lane.reconciler.concurrency) {
      const key = lane.queue.take(clock.monotonicMs())
      if (key === undefined) break
      lane.running += 1
      const run = runOne(lane, key, leader).finally(() => {
        lane.running -= 1
        lane.queue.done(key)
        finishInRound(lane, key)
        lane.wakers.delete(key)
        underWay.delete(run)
        nudge()
      })
      underWay.add(run)
    }
  }

  async function resync(lane: Lane): Promise<void> {
    lane.nextResyncAtMs = clock.monotonicMs() + lane.reconciler.resyncMs
    try {
      const keys = await database.transactAsSystem((db) => lane.reconciler.keys(db), { readOnly: true })
      for (const key of keys) lane.queue.add(key, clock.monotonicMs())
      // One that is not through before the next one counts on: it is what takes so long.
      if (lane.round === undefined && keys.length > 0)
        lane.round = { startedAtMs: clock.monotonicMs(), keys: keys.length, left: new Set(keys) }
    } catch (thrown) {
      lane.nextResyncAtMs = clock.monotonicMs() + Math.min(lane.reconciler.resyncMs, 2 * SECOND_MS)
      log.warn({ reconciler: lane.reconciler.name, error: messageOf(thrown) }, 'listing keys failed')
    }
  }

  /** Says how long all keys took: an installation whose walks take longer than their pause is too large for one leader. */
  function finishInRound(lane: Lane, key: string): void {
    const { round, reconciler } = lane
    if (round?.left.delete(key) !== true || round.left.size > 0) return
    lane.round = undefined
    const tookMs = Math.round(clock.monotonicMs() - round.startedAtMs)
    log.debug({ reconciler: reconciler.name, keys: round.keys, tookMs }, 'looked at everything')
  }

  async function runOne(lane: Lane, key: string, leader: NonNullable<typeof leading>): Promise<void> {
    const { reconciler } = lane
    const deadline = new AbortController()
    using _ = clock.after(reconciler.deadlineMs, () =>
      deadline.abort(new Error(`${reconciler.name} took too long`)),
    )
    const waker = new AbortController()
    lane.wakers.set(key, waker)
    const context: ControlContext = {
      ...platform,
      epoch: leader.epoch,
      signal: AbortSignal.any([deadline.signal, leader.lost.signal, stopping.signal]),
      woken: waker.signal,
      transact: (run) => database.transactAsSystem(run),
    }
    try {
      const { againInMs } = await reconciler.reconcile(context, key)
      lane.attempts.delete(key)
      if (againInMs !== undefined) lane.queue.add(key, clock.monotonicMs() + againInMs)
    } catch (thrown) {
      const attempt = lane.attempts.get(key) ?? 0
      lane.attempts.set(key, attempt + 1)
      lane.queue.add(key, clock.monotonicMs() + retryDelayMs(attempt, platform.random, BACK_OFF))
      if (!leader.lost.signal.aborted && !stopping.signal.aborted)
        log.warn({ reconciler: reconciler.name, key, attempt, err: thrown }, 'a reconciliation failed')
    }
  }

  return {
    async start() {
      listener = await database.listen(WAKE_CHANNEL, (payload) => onWake(payload, true))
      if (platform.settings.soleReplica) await renew(true)
      renewals = keepLease()
      doubts = clock.every(SECOND_MS, doubtLease)
      loop = work()
    },
    isLeading: () => leading !== undefined,
    nudge(reconciler, key) {
      if (leading) onWake(`${reconciler} ${key}`, false)
    },
    retire,
    async [Symbol.asyncDispose]() {
      await retire()
      doubts?.[Symbol.dispose]()
      await listener?.[Symbol.asyncDispose]()
    },
  }
}
