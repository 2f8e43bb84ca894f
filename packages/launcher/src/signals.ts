import { constants } from 'node:os'

import type { Clock } from '@slipway/kit'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** One Ctrl-C reaches us several times: from the terminal, from npm, and from the script between. */
const SAME_MS = 1_000

type Reason = (typeof SIGNALS)[number]

/** A signal came before the start was over. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  /** As shells count: 128 and the signal's number. */
  readonly exitCode: number

  constructor(by: Reason) {
    super(`interrupted by ${by}`)
    this.exitCode = 128 + constants.signals[by]
  }
}

export type Signals = Disposable & {
  /** Resolves at the first signal. */
  readonly asked: Promise<undefined>
  /** Aborted with {@link Interrupted} at the first signal. */
  readonly signal: AbortSignal
}

/**
 * Listens for what asks us to stop. A second signal ends this process at once: children end when our channel closes, and
 * PostgreSQL by the kernel's death signal.
 * @param onFirst - called at the first one
 */
export function listenForSignals(clock: Clock, onFirst: () => void): Signals {
  const abort = new AbortController()
  let firstAtMs: number | undefined
  let resolveAsked: (value: undefined) => void = () => undefined
  const asked = new Promise<undefined>((resolve) => (resolveAsked = resolve))
  function onAsked(by: Reason): void {
    const nowMs = clock.monotonicMs()
    if (firstAtMs !== undefined) {
      if (nowMs - firstAtMs > SAME_MS) process.exit(128 + constants.signals[by])
      return
    }
    firstAtMs = nowMs
    onFirst()
    abort.abort(new Interrupted(by))
    resolveAsked(undefined)
  }
  const listeners = SIGNALS.map((name) => {
    const listener = (): void => onAsked(name)
    process.on(name, listener)
    return { name, listener }
  })
  // The script of `npm start` has died; it is as if its terminal were gone.
  const onDisconnect = (): void => onAsked('SIGHUP')
  process.on('disconnect', onDisconnect)
  return {
    asked,
    signal: abort.signal,
    [Symbol.dispose]() {
      for (const { name, listener } of listeners) process.off(name, listener)
      process.off('disconnect', onDisconnect)
    },
  }
}
