import { messageOf, must, SECOND_MS, serialQueue } from '@slipway/kit'

import type { Platform } from '../../context.ts'
import type { Db } from '../../tables.ts'
import type { Batch, Change, Cursor, Logged } from './model.ts'
import { parseCursor } from './plan.ts'
import * as queries from './queries.ts'

/*
 * Reads the log of changes once for all readers of this process. A notification says that there is something; what there is, is
 * read by position, so a notification that is lost or comes twice costs nothing. A position is a snapshot: news are the
 * changes of transactions that were not committed in the old one and are in the new one, in whatever order they began.
 * A reader subscribes first and then reads what it missed by its own cursor: changes in between may come twice, never not at all.
 */
const CHANNEL = 'slipway_event'
/** Changes of one reading; more are told as "anything may have changed". */
const CHANGES_MAX = 5_000
/** Readings follow each other at least this far apart, so that a burst of changes is one batch. */
const APART_MS = 50
/** Finds what a lost notification missed. */
const RESYNC_MS = 5 * SECOND_MS
const RETRY_MS = SECOND_MS
const PLACES_MAX = 20_000

export type Place = Pick<Change, 'organizationId' | 'projectId' | 'applicationId'>

export type ChangeHub = AsyncDisposable & {
  readonly start: () => Promise<void>
  /** Calls `listener` with everything that is read from now on, until it is disposed. */
  readonly subscribe: (listener: (batch: Batch) => void) => Promise<Disposable>
  /** What somebody missed who is at `cursor`; without one, or at one that is too old, a reset and where the log is now. */
  readonly missed: (cursor: string | undefined) => Promise<Batch>
  /** Tells on this replica that Instances of a Workload changed; every replica sees that for itself. */
  readonly hintInstances: (workloadId: string) => void
}

export function openHub(
  platform: Pick<Platform, 'database' | 'clock' | 'log' | 'newId'>,
  findPlace: (db: Db, workloadId: string) => Promise<Place | undefined>,
): ChangeHub {
  const { database, clock, log } = platform
  const listeners = new Set<(batch: Batch) => void>()
  const reading = serialQueue()
  const stopping = new AbortController()
  const hinted = new Set<string>()
  const places = new Map<string, Place>()
  /** Undefined while nobody listens. */
  let position: Cursor | undefined
  let wake: () => void = () => undefined
  let loop: Promise<void> = Promise.resolve()
  let listening: AsyncDisposable | undefined

  async function news(since: Cursor | undefined): Promise<queries.News> {
    const read = () =>
      database.transactAsSystem((db) => queries.readNews(db, since, CHANGES_MAX), { readOnly: true })
    const found = await read()
    if (found) return found
    await database.transactAsSystem((db) => queries.beginLog(db, platform.newId('evt')))
    return must(await read(), 'a log that was begun is there')
  }

  async function readOn(): Promise<void> {
    if (listeners.size === 0) position = undefined
    if (position === undefined) return
    const found = await news(position)
    const batch = batchOf(found)
    const instances = await instancesHinted()
    position = batch.cursor
    for (const listener of listeners) listener({ ...batch, changes: [...batch.changes, ...instances] })
  }

  async function instancesHinted(): Promise<readonly Logged[]> {
    const ids = [...hinted]
    const unknown = ids.filter((id) => !places.has(id))
    if (unknown.length > 0)
      await database.transactAsSystem(
        async (db) => {
          for (const id of unknown) {
            const place = await findPlace(db, id)
            if (place) places.set(id, placeOf(place))
          }
        },
        { readOnly: true },
      )
    for (const id of ids) hinted.delete(id)
    const changes = ids.flatMap((id) => instancesChange(id, places.get(id)))
    if (places.size > PLACES_MAX) places.clear()
    return changes
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const woken = new Promise<void>((resolve) => (wake = resolve))
      let waitMs = RESYNC_MS
      try {
        await reading.run(readOn)
      } catch (thrown) {
        waitMs = RETRY_MS
        log.warn({ error: messageOf(thrown) }, 'reading the log of changes failed')
      }
      const timer = clock.after(waitMs, () => wake())
      await woken
      timer[Symbol.dispose]()
      await clock.sleep(APART_MS, stopping.signal).catch(() => undefined)
    }
  }

  return {
    async start() {
      listening = await database.listen(CHANNEL, () => wake())
      loop = run()
    },
    async subscribe(listener) {
      await reading.run(async () => {
        if (position === undefined) position = batchOf(await news(undefined)).cursor
        listeners.add(listener)
      })
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
    missed: async (cursor) => batchOf(await news(cursor === undefined ? undefined : parseCursor(cursor))),
    hintInstances(workloadId) {
      if (listeners.size === 0) return
      hinted.add(workloadId)
      wake()
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new Error('the platform stops'))
      wake()
      await loop
      await listening?.[Symbol.asyncDispose]()
    },
  }
}

function batchOf({ log, snapshot, changes }: queries.News): Batch {
  const isWhole = changes !== undefined && changes.length < CHANGES_MAX
  return { changes: isWhole ? changes : [], cursor: { log, snapshot }, reset: !isWhole }
}

function instancesChange(workloadId: string, place: Place | undefined): readonly Logged[] {
  if (place === undefined) return []
  const change: Change = {
    type: 'instances',
    id: workloadId,
    change: 'changed',
    workloadId,
    version: 0,
    ...place,
  }
  return [{ change, transaction: null }]
}

/** Only the ids: what finds a place may know more. */
function placeOf({ organizationId, projectId, applicationId }: Place): Place {
  return { organizationId, projectId, applicationId }
}
