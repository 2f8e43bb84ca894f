import { useEffect } from 'react'

import type { ChangeType } from '@slipway/contract'
import { SECOND_MS, systemClock } from '@slipway/kit'
import { watchChanges, type ChangeNotice } from '@slipway/sdk'

import { affectedBy } from './affected.ts'
import { api } from './client.ts'
import { cache, changesAreTold, noticeFailure } from './queries.ts'
import { sessionEnded } from './session.ts'

/*
 * One stream of changes for a whole browser: the tab that holds the lock reads it and tells the others; when it closes, the
 * next one takes over and everything is asked for once. What is told is names, so each tab asks again for what it shows of
 * them, at most every so often. Where a browser has no locks (plain http), each tab reads for itself.
 */

const NAME = 'slipway.changes'
/** Changes that come together are one reason to ask. */
const GATHER_MS = 250
const AGAIN_MS = 3 * SECOND_MS
/** Without a word for so long, nobody is telling. */
const SILENCE_MS = 30 * SECOND_MS

type Told = { readonly types: readonly ChangeType[] | null }

/** Keeps everything that is shown up to date while the console is open. */
export function useChanges(): void {
  useEffect(() => {
    const ending = new AbortController()
    const channel = new BroadcastChannel(NAME)
    const gathered = gather()
    const hear = (told: Told): void => {
      gathered.add(told)
      changesAreTold.set(true)
      silence[Symbol.dispose]()
      silence = systemClock.after(SILENCE_MS, () => changesAreTold.set(false))
    }
    let silence = systemClock.after(SILENCE_MS, () => undefined)
    channel.addEventListener('message', ({ data }: MessageEvent<Told>) => hear(data))
    const tell = (told: Told): void => {
      hear(told)
      // A channel reaches this origin only.
      // oxlint-disable-next-line unicorn/require-post-message-target-origin
      channel.postMessage(told)
    }
    const { signal } = ending
    void holdingLock(signal, () => readForAll(signal, tell)).catch(() => undefined)
    return () => {
      ending.abort(new Error('the console was left'))
      channel.close()
      gathered[Symbol.dispose]()
      silence[Symbol.dispose]()
    }
  }, [])
}

function holdingLock(signal: AbortSignal, run: () => Promise<void>): Promise<void> {
  // The type says that locks are always there; over plain http they are not.
  const locks: LockManager | undefined = navigator.locks
  return locks === undefined ? run() : locks.request(NAME, { signal }, run)
}

async function readForAll(signal: AbortSignal, tell: (told: Told) => void): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const notice of watchChanges(api, { signal })) handle(notice, tell)
    } catch (thrown) {
      if (signal.aborted) return
      noticeFailure(thrown)
    }
    // A session that has ended is asked for by the frame; the stream waits for the next one.
    do await systemClock.sleep(AGAIN_MS, signal).catch(() => undefined)
    while (sessionEnded.get() && !signal.aborted)
  }
}

function handle(notice: ChangeNotice, tell: (told: Told) => void): void {
  switch (notice.kind) {
    case 'reset':
      return tell({ types: notice.types })
    case 'change':
      return tell({ types: [notice.change.type] })
    case 'connection':
      if (notice.lost !== undefined) noticeFailure(notice.lost)
      return
    case 'heartbeat':
      return tell({ types: [] })
    case 'topic':
      return
    default:
      return notice satisfies never
  }
}

/** Asks again for what changed, once for everything that came within a moment. */
function gather(): Disposable & { readonly add: (told: Told) => void } {
  let types: Set<ChangeType> | 'all' = new Set()
  let pending: Disposable | undefined
  const flush = (): void => {
    const gathered = types
    types = new Set()
    pending = undefined
    void cache.invalidateQueries({
      predicate: ({ queryKey }) => gathered === 'all' || affectedBy(gathered, String(queryKey[0])),
    })
  }
  return {
    add({ types: told }) {
      if (told?.length === 0) return
      if (told === null) types = 'all'
      else if (types !== 'all') for (const type of told) types.add(type)
      pending ??= systemClock.after(GATHER_MS, flush)
    },
    [Symbol.dispose]: () => pending?.[Symbol.dispose](),
  }
}
