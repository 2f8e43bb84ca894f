/*
 * Keys that are due, each at most once: a key that is woken while it waits is not doubled, one that is woken while it runs
 * runs once more afterwards. Pure but for the state it keeps; the driver brings time and does the work.
 */
export type KeyQueue = {
  /** Makes a key due at `atMs`, or earlier if it was due earlier. */
  readonly add: (key: string, atMs: number) => void
  /** Takes a key that is due and not running. */
  readonly take: (nowMs: number) => string | undefined
  /** Ends a run; the key is due again if it was added meanwhile. */
  readonly done: (key: string) => void
  /** When the next key that is not running falls due. */
  readonly nextAtMs: () => number | undefined
  readonly size: () => number
}

export function keyQueue(): KeyQueue {
  const due = new Map<string, number>()
  const running = new Set<string>()
  const waiting = (): [string, number][] => [...due].filter(([key]) => !running.has(key))
  return {
    add(key, atMs) {
      const known = due.get(key)
      due.set(key, known === undefined ? atMs : Math.min(known, atMs))
    },
    take(nowMs) {
      let first: string | undefined
      let firstAtMs = nowMs
      for (const [key, atMs] of waiting())
        if (atMs <= nowMs && (first === undefined || atMs < firstAtMs)) {
          first = key
          firstAtMs = atMs
        }
      if (first !== undefined) {
        due.delete(first)
        running.add(first)
      }
      return first
    },
    done: (key) => void running.delete(key),
    nextAtMs() {
      const times = waiting().map(([, atMs]) => atMs)
      return times.length === 0 ? undefined : times.reduce((a, b) => Math.min(a, b))
    },
    size: () => due.size + running.size,
  }
}
