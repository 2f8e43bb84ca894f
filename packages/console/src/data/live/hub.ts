import type { Change, ChangeType } from '@slipway/contract'
import { SECOND_MS, type Clock } from '@slipway/kit'
import { ApiError, type ChangeNotice, type WatchOptions } from '@slipway/sdk'

/*
 * One stream of changes for all tabs of a browser. It lives in a worker that the tabs share, so it needs no leader, goes on
 * whichever tab is closed, and is there on plain http too, where browsers offer no locks.
 */

/** What a tab says. `join`: tell me. `retry`: the server answers again, do not wait. `restart`: somebody signed in. */
export type FromTab = 'join' | 'retry' | 'restart' | 'leave'

/** What a tab is told. `state`: whether changes are being told. `refused`: why they are not. */
export type ToTab =
  | { readonly kind: 'state'; readonly isLive: boolean }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'reset'; readonly types: readonly ChangeType[] | null }
  | { readonly kind: 'change'; readonly change: Change }

type Tab = { readonly tell: (message: ToTab) => void }
type Watch = (options: WatchOptions) => AsyncIterable<ChangeNotice>

export const SIGNED_OUT: ReadonlySet<string> = new Set(['not_signed_in', 'session_ended'])
const AGAIN_MS = 15 * SECOND_MS

export type Hub = { readonly hear: (tab: Tab, message: FromTab) => void }

export function hubOf(watch: Watch, clock: Clock): Hub {
  const tabs = new Set<Tab>()
  let isLive = false
  let cursor: string | undefined
  let following: AbortController | undefined
  let again: Disposable | undefined

  function tellAll(message: ToTab): void {
    for (const tab of tabs) tab.tell(message)
  }

  function enter(live: boolean): void {
    if (live === isLive) return
    isLive = live
    tellAll({ kind: 'state', isLive })
  }

  function begin(): void {
    again?.[Symbol.dispose]()
    again = undefined
    following?.abort()
    following = new AbortController()
    void follow(following.signal)
  }

  function end(): void {
    following?.abort()
    following = undefined
    enter(false)
  }

  async function follow(signal: AbortSignal): Promise<void> {
    try {
      for await (const notice of watch({ signal, cursor })) {
        if (signal.aborted) return
        take(notice)
      }
    } catch (thrown) {
      // Whoever broke it off has begun another one, or wants none.
      if (signal.aborted) return
      end()
      const code = thrown instanceof ApiError ? thrown.code : ''
      tellAll({ kind: 'refused', code })
      if (!SIGNED_OUT.has(code)) again = clock.after(AGAIN_MS, () => tabs.size > 0 && begin())
    }
  }

  function take(notice: ChangeNotice): void {
    if (notice.kind === 'connection') return enter(notice.lost === undefined)
    if ('cursor' in notice) cursor = notice.cursor
    enter(true)
    if (notice.kind === 'reset') tellAll({ kind: 'reset', types: notice.types })
    else if (notice.kind === 'change') tellAll({ kind: 'change', change: notice.change })
  }

  return {
    hear(tab, message) {
      if (message === 'leave') {
        tabs.delete(tab)
        if (tabs.size === 0) end()
        return
      }
      tabs.add(tab)
      if (message === 'restart') {
        // Another account sees other things; its place in the log is not this one's.
        cursor = undefined
        enter(false)
        begin()
      } else if (following === undefined || (message === 'retry' && !isLive)) begin()
      if (message === 'join') tab.tell({ kind: 'state', isLive })
    },
  }
}
