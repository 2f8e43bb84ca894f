import type { Query, QueryClient } from '@tanstack/react-query'

import type { Clock } from '@slipway/kit'

/*
 * Asks again for what has become old, a few times a second at most for each answer. What is being asked for already is not
 * broken off (under constant change it would never come) but asked for once more afterwards, because its answer may be from
 * before the change. A list of many pages is asked for as a whole, so it has to wait for longer.
 */

/** Shortest time between two questions for the same answer, for each page of it. */
const GAP_MS = 250
/** Changes that come together are one. */
const TOGETHER_MS = 40

export type Refresher = {
  /** What `isOld` says yes to is asked for again soon. */
  readonly mark: (isOld: (query: Query) => boolean) => void
}

/** @param isLookedAt - while it is false, answers are marked as old and asked for when somebody looks again */
export function refresherOf(cache: QueryClient, clock: Clock, isLookedAt: () => boolean): Refresher {
  const due = new Set<string>()
  const askedMs = new Map<string, number>()
  let timer: Disposable | undefined

  function plan(): void {
    if (timer === undefined && due.size > 0) timer = clock.after(TOGETHER_MS, flush)
  }

  function flush(): void {
    timer = undefined
    const nowMs = clock.monotonicMs()
    for (const hash of due) {
      const query = cache.getQueryCache().get(hash)
      if (query === undefined) forget(hash)
      else if (query.state.fetchStatus === 'idle' && nowMs - (askedMs.get(hash) ?? -Infinity) >= gapMs(query))
        ask(query, nowMs)
    }
    plan()
  }

  function ask(query: Query, nowMs: number): void {
    due.delete(query.queryHash)
    askedMs.set(query.queryHash, nowMs)
    void cache.invalidateQueries({
      predicate: (other) => other === query,
      refetchType: isLookedAt() ? 'active' : 'none',
    })
  }

  function forget(hash: string): void {
    due.delete(hash)
    askedMs.delete(hash)
  }

  return {
    mark(isOld) {
      for (const query of cache.getQueryCache().getAll()) if (isOld(query)) due.add(query.queryHash)
      plan()
    },
  }
}

function gapMs({ state }: Query): number {
  const pages = (state.data as { readonly pages?: readonly unknown[] } | undefined)?.pages
  return GAP_MS * Math.max(1, Array.isArray(pages) ? pages.length : 1)
}
