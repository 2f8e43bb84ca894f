import type { Change } from '@slipway/contract'

import type { Access } from '../access/index.ts'
import { eventErrors } from './errors.ts'
import type { Batch, Subscription, Topic } from './model.ts'
import {
  accessText,
  concerns,
  cursorText,
  maySee,
  pendingChanges,
  snapshotOf,
  type Snapshot,
} from './plan.ts'

/** Objects with changes that one reader may leave lying; several changes of one count once. */
const PENDING_MAX = 5_000

type Next = {
  /** Set when what the caller may see has changed. */
  readonly access: Access | undefined
  readonly changes: readonly Change[]
  readonly cursor: string
  readonly reset: boolean
  readonly isBeat: boolean
}

/** What the hub, the heart and the guard have to tell one reader, until the reader is ready for it. */
export function readerOf(first: Access, subscription: Subscription) {
  const pending = pendingChanges(PENDING_MAX)
  const early: Batch[] = []
  /** What the reader had read itself; a batch of the hub may still tell some of it again. */
  let own: Snapshot | undefined
  let access = first
  let told = accessText(first)
  let topics: readonly Topic[] | undefined
  let cursor = ''
  let [reset, isBeat, isSlow, isAwake] = [false, false, false, false]
  let resolve: () => void = () => undefined

  const wake = (): void => {
    isAwake = true
    resolve()
  }
  function keep(batch: Batch, among: readonly Topic[]): void {
    if (batch.reset) reset = true
    for (const { change, transaction } of batch.changes) {
      const isKnown = transaction !== null && own?.hasEnded(transaction) === true
      if (!isKnown && concerns(subscription, among, change) && maySee(access, change))
        isSlow ||= !pending.add(change)
    }
    const { endBefore } = snapshotOf(batch.cursor.snapshot)
    if (own !== undefined && endBefore < own.endBefore && !batch.reset) return
    if (own !== undefined && endBefore > own.endBefore) own = undefined
    cursor = cursorText(batch.cursor)
  }
  return {
    wake,
    take(batch: Batch): void {
      // What comes while the reader's own beginning is still being read waits for it.
      if (topics === undefined) early.push(batch)
      else keep(batch, topics)
      wake()
    },
    begin(missed: Batch, among: readonly Topic[]): void {
      topics = among
      keep({ ...missed, reset: false }, among)
      own = snapshotOf(missed.cursor.snapshot)
      for (const batch of early.splice(0)) keep(batch, among)
      isAwake = true
    },
    topicsAre(among: readonly Topic[]): void {
      topics = among
    },
    accessIs(now: Access): void {
      access = now
      if (accessText(now) !== told) wake()
    },
    beat(): void {
      isBeat = true
      wake()
    },
    /** Everything there is to tell now. @throws {AppError} `event_reader_slow` */
    next(): Next {
      if (isSlow) throw eventErrors.event_reader_slow(undefined, { retryAfterSeconds: 1 })
      const text = accessText(access)
      const waiting = pending.takeAll()
      // With another access everything is read again, and what waited was chosen by the old one.
      const changes = text === told ? waiting : []
      const next: Next = {
        access: text === told ? undefined : access,
        changes,
        cursor,
        reset,
        isBeat,
      }
      told = text
      reset = false
      isBeat = false
      return next
    },
    async woken(): Promise<void> {
      if (!isAwake) await new Promise<void>((done) => (resolve = done))
      isAwake = false
    },
  }
}
