/*
 * A part that ended although nobody told it to is started again: the first time at once, then after growing pauses. One that
 * ends again and again is a fault that starting cannot heal; then everything stops and says so, rather than look alive.
 */
export const RESTARTS_MAX = 5
const WINDOW_MS = 60_000
const FIRST_PAUSE_MS = 250
const PAUSE_MAX_MS = 8_000

export type RestartStep =
  | { readonly kind: 'restart'; readonly afterMs: number }
  | { readonly kind: 'give-up' }

/**
 * Decides what follows on the end of a part. Pure.
 * @param restartsAtMs - when it was started again before, by a clock that only grows
 */
export function planRestart(restartsAtMs: readonly number[], nowMs: number): RestartStep {
  const recent = restartsAtMs.filter((atMs) => nowMs - atMs < WINDOW_MS).length
  if (recent >= RESTARTS_MAX) return { kind: 'give-up' }
  if (recent === 0) return { kind: 'restart', afterMs: 0 }
  return { kind: 'restart', afterMs: Math.min(FIRST_PAUSE_MS * 2 ** (recent - 1), PAUSE_MAX_MS) }
}
