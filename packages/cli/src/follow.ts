import { retryDelayMs } from '@slipway/kit'
import { ApiError } from '@slipway/sdk'

import type { Deps } from './deps.ts'
import { Exit, type ExitCode } from './exit.ts'

/*
 * Following work that goes on at the platform. Nothing here changes it: Ctrl-C and --timeout only stop the watching, and
 * say how to go on. The platform sends what happens as it happens. A stream that breaks is taken up again where it broke off;
 * where none can be had, the state is asked for now and then, until there is one again or the deadline has come.
 */

/** How one kind of work is followed. */
export type Following<State> = {
  /** The states as they come, to the end of the work; called again it goes on where it was. */
  readonly states: (signal: AbortSignal) => AsyncIterable<State>
  /** The state now, for when there is no stream. */
  readonly read: (signal: AbortSignal) => Promise<State>
  /** undefined while it goes on. */
  readonly outcome: (state: State) => 'succeeded' | 'failed' | undefined
  /** One line that says where it stands. */
  readonly line: (state: State) => string
  /** The command that attaches again, without the leading `slipway`. */
  readonly again: string
}

export type FollowOptions = {
  readonly detach?: boolean | undefined
  /** Plain lines, one per change. */
  readonly ci?: boolean | undefined
  readonly timeout: number
}

const PASSING_FIRST_MS = 1_000
const PASSING_MAX_MS = 15_000

/** What following ends with, and the last state read. */
export type Followed<State> = { readonly exit: ExitCode; readonly state: State }

/** Follows work from its first state to its end, the timeout or Ctrl-C. */
export async function follow<State>(
  deps: Deps,
  first: State,
  following: Following<State>,
  options: FollowOptions,
): Promise<Followed<State>> {
  const { clock, io, text } = deps
  const command = `slipway ${following.again}`
  if (options.detach === true) {
    io.note(text('follow.accepted', { command }))
    return { exit: Exit.ok, state: first }
  }
  using watching = watchFor(deps, options.timeout)
  const show = shower(deps, options.ci === true)
  let state = first
  let failures = 0
  const isOver = (now: State): boolean => {
    state = now
    failures = 0
    show(following.line(now))
    return following.outcome(now) !== undefined
  }
  try {
    let over = isOver(first)
    while (!over) {
      try {
        for await (const now of following.states(watching.signal)) if ((over = isOver(now))) break
      } catch (thrown) {
        watching.signal.throwIfAborted()
        if (!isPassing(thrown)) throw thrown
      }
      if (over) break
      await clock.sleep(waitMsOf(deps, failures), watching.signal)
      failures += 1
      over = await readOnce(following, watching.signal, isOver)
    }
  } catch (thrown) {
    io.progress('')
    if (deps.signal.aborted) {
      io.complain(text('follow.detached', { command }))
      return { exit: Exit.interrupted, state }
    }
    if (!watching.isLate()) throw thrown
    io.complain(text('follow.timeout', { seconds: Math.round(options.timeout / 1_000), command }))
    return { exit: Exit.timeout, state }
  }
  io.progress('')
  return { exit: following.outcome(state) === 'succeeded' ? Exit.ok : Exit.error, state }
}

/** Ends with Ctrl-C or when the time is up. */
function watchFor(
  deps: Pick<Deps, 'clock' | 'signal'>,
  timeoutMs: number,
): Disposable & { readonly signal: AbortSignal; readonly isLate: () => boolean } {
  const late = new AbortController()
  const timer = deps.clock.after(timeoutMs, () => late.abort())
  return {
    signal: AbortSignal.any([deps.signal, late.signal]),
    isLate: () => late.signal.aborted,
    [Symbol.dispose]: () => timer[Symbol.dispose](),
  }
}

/** True when the work has ended; a server that does not answer says nothing about that. */
async function readOnce<State>(
  following: Following<State>,
  signal: AbortSignal,
  isOver: (state: State) => boolean,
): Promise<boolean> {
  try {
    return isOver(await following.read(signal))
  } catch (thrown) {
    signal.throwIfAborted()
    if (!isPassing(thrown)) throw thrown
    return false
  }
}

/** Tells on standard error that the platform was lost while following, and that it is there again. */
export function tellConnection({ io, text }: Pick<Deps, 'io' | 'text'>): (lost: unknown) => void {
  return (lost) => io.note(text(lost === undefined ? 'follow.back' : 'follow.lost'))
}

function waitMsOf(deps: Deps, failures: number): number {
  return retryDelayMs(failures, deps.random, { firstMs: PASSING_FIRST_MS, maxMs: PASSING_MAX_MS })
}

function isPassing(thrown: unknown): boolean {
  return thrown instanceof ApiError && (thrown.status === 0 || thrown.status === 429 || thrown.status >= 500)
}

/** On a terminal the line is replaced; elsewhere, and with --ci, a line is printed for every change. */
function shower({ io }: Deps, plain: boolean): (line: string) => void {
  let shown = ''
  return (line) => {
    if (io.noteIsTerminal && !plain) return io.progress(line)
    if (line !== shown) io.note(line)
    shown = line
  }
}
