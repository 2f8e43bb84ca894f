/*
 * What this process saw of rollouts and the database need not know: a restart counts anew, which only makes the engine more
 * patient. Bounded by what is under way.
 */
import type { Release } from './model.ts'
import type { Restarts } from './observe.ts'

/** Clocks of clusters and platforms may differ by this much. */
const SKEW_MS = 60_000
const KEYS_MAX = 10_000

export type Memory = {
  /** Since when the new version has had too few ready Instances; null when it has enough. */
  readonly unreadySince: (releaseId: string, enough: boolean, now: Date) => Date | null
  /**
   * Most restarts of one Instance since the release began. Those of an Instance's life before do not count, nor those up to
   * an end that came with its node's.
   */
  readonly crashes: (release: Pick<Release, 'id' | 'createdAt'>, restarts: readonly Restarts[]) => number
  /** Whether something may be done again that is done at most so often; true counts as done. */
  readonly isDue: (key: string, nowMs: number, everyMs: number) => boolean
  readonly forget: (releaseId: string) => void
}

export function memory(): Memory {
  const unready = new Map<string, Date>()
  const baselines = new Map<string, Map<string, number>>()
  const done = new Map<string, number>()

  const baselineOf = (
    release: Pick<Release, 'id' | 'createdAt'>,
    { instance, count, createdAt, lostWithNode }: Restarts,
  ): number => {
    const known = baselines.get(release.id) ?? new Map<string, number>()
    baselines.set(release.id, known)
    const isYoung = createdAt.getTime() >= release.createdAt.getTime() - SKEW_MS
    const baseline = lostWithNode ? count : (known.get(instance) ?? (isYoung ? 0 : count))
    known.set(instance, baseline)
    return baseline
  }

  return {
    unreadySince(releaseId, enough, now) {
      if (enough) unready.delete(releaseId)
      else if (!unready.has(releaseId)) unready.set(releaseId, now)
      return unready.get(releaseId) ?? null
    },
    crashes: (release, restarts) =>
      Math.max(0, ...restarts.map((one) => one.count - baselineOf(release, one))),
    isDue(key, nowMs, everyMs) {
      const atMs = done.get(key)
      if (atMs !== undefined && nowMs - atMs < everyMs) return false
      if (done.size >= KEYS_MAX) done.clear()
      done.set(key, nowMs)
      return true
    },
    forget(releaseId) {
      unready.delete(releaseId)
      baselines.delete(releaseId)
    },
  }
}
