/**
 * All time in Slipway comes from here, so that tests move it and pure code takes `now: Date`.
 * The real one is `systemClock`; `manualClock` stands still until a test advances it.
 */
export type Clock = {
  readonly now: () => Date
  /** Resolves after `ms`, or rejects with the signal's reason as soon as it is aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  /** Calls `run` once after `ms`. Dispose to cancel. Does not keep the process alive. */
  readonly after: (ms: number, run: () => void) => Disposable
  /** Calls `run` every `ms`. Dispose to stop. Does not keep the process alive. */
  readonly every: (ms: number, run: () => void) => Disposable
  /** Milliseconds that only grow, for measuring durations. */
  readonly monotonicMs: () => number
}

export const systemClock: Clock = {
  now: () => new Date(),
  sleep: (ms, signal) => sleepUnlessAborted(ms, signal),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    release(timer)
    return { [Symbol.dispose]: () => clearTimeout(timer) }
  },
  every(ms, run) {
    const timer = setInterval(run, ms)
    release(timer)
    return { [Symbol.dispose]: () => clearInterval(timer) }
  },
  monotonicMs: () => performance.now(),
}

/** Lets the process end while a timer waits. In a browser timers are numbers, and hold nothing. */
function release(timer: NodeJS.Timeout | number): void {
  if (typeof timer === 'object') timer.unref()
}

function sleepUnlessAborted(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error)
      return
    }
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(signal?.reason as Error)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

type Due = { atMs: number; readonly everyMs: number | undefined; readonly run: () => void }

/** A clock that stands still; `advance` runs everything that falls due, in order of time. */
export type ManualClock = Clock & { readonly advance: (ms: number) => Promise<void> }

/** @param start - the time it shows first */
export function manualClock(start: Date = new Date('2026-01-01T00:00:00Z')): ManualClock {
  let nowMs = start.getTime()
  const dues = new Set<Due>()

  function schedule(ms: number, everyMs: number | undefined, run: () => void): Disposable {
    const due: Due = { atMs: nowMs + ms, everyMs, run }
    dues.add(due)
    return { [Symbol.dispose]: () => void dues.delete(due) }
  }

  async function advance(ms: number): Promise<void> {
    const untilMs = nowMs + ms
    for (;;) {
      const next = [...dues].filter((due) => due.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0]
      if (!next) break
      nowMs = next.atMs
      if (next.everyMs === undefined) dues.delete(next)
      else next.atMs += next.everyMs
      next.run()
      // Lets what the timer woke run before later timers do.
      await new Promise((resolve) => setImmediate(resolve))
    }
    nowMs = untilMs
  }

  return {
    now: () => new Date(nowMs),
    monotonicMs: () => nowMs,
    after: (ms, run) => schedule(ms, undefined, run),
    every: (ms, run) => schedule(ms, ms, run),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason as Error)
          return
        }
        const timer = schedule(ms, undefined, resolve)
        signal?.addEventListener(
          'abort',
          () => {
            timer[Symbol.dispose]()
            reject(signal.reason as Error)
          },
          { once: true },
        )
      }),
    advance,
  }
}

/**
 * Runs `run` every `everyMs`, the first time after that, and never twice at once: what falls due while it runs is left out.
 * `onError` is told of every failure, after which it goes on. Dispose to stop; what runs then is not waited for.
 */
export function repeat(
  clock: Clock,
  everyMs: number,
  run: () => Promise<unknown>,
  onError: (thrown: unknown) => void,
): Disposable {
  let isRunning = false
  async function runAlone(): Promise<void> {
    if (isRunning) return
    isRunning = true
    try {
      await run()
    } catch (thrown) {
      onError(thrown)
    } finally {
      isRunning = false
    }
  }
  return clock.every(everyMs, () => void runAlone())
}

/**
 * Polls `condition` until it returns something other than undefined, null or false.
 * @throws {Error} naming `what` when `timeoutMs` have passed without.
 */
export async function waitFor<T>(
  clock: Clock,
  what: string,
  condition: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  options: { readonly timeoutMs: number; readonly everyMs?: number; readonly signal?: AbortSignal },
): Promise<T> {
  const deadlineMs = clock.monotonicMs() + options.timeoutMs
  for (;;) {
    const value = await condition()
    if (value !== undefined && value !== null && value !== false) return value
    if (clock.monotonicMs() >= deadlineMs)
      throw new Error(`waited ${options.timeoutMs} ms in vain for ${what}`)
    await clock.sleep(options.everyMs ?? 50, options.signal)
  }
}
