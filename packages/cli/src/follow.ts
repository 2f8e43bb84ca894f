import { retryDelayMs } from '@slipway/kit'
import { ApiError } from '@slipway/sdk'

import type { Deps } from './deps.ts'
import { Exit, type ExitCode } from './exit.ts'

/*
 * Following work that goes on at the platform. Nothing here changes it: Ctrl-C and --timeout only stop the watching, and
 * say how to go on. A read that fails for a passing reason is tried again, slower each time, until the deadline.
 */

/** How one kind of work is followed. */
export type Following<State> = {
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

const POLL_MS = 1_000
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
  const deadlineMs = clock.monotonicMs() + options.timeout
  const show = shower(deps, options.ci === true)
  let state = first
  let failures = 0
  for (;;) {
    show(following.line(state))
    const outcome = following.outcome(state)
    if (outcome !== undefined) {
      io.progress('')
      return { exit: outcome === 'succeeded' ? Exit.ok : Exit.error, state }
    }
    if (clock.monotonicMs() >= deadlineMs) {
      io.progress('')
      io.complain(text('follow.timeout', { seconds: Math.round(options.timeout / 1_000), command }))
      return { exit: Exit.timeout, state }
    }
    try {
      await clock.sleep(waitMsOf(deps, failures), deps.signal)
      state = await following.read(deps.signal)
      failures = 0
    } catch (thrown) {
      if (deps.signal.aborted) {
        io.progress('')
        io.complain(text('follow.detached', { command }))
        return { exit: Exit.interrupted, state }
      }
      if (!isPassing(thrown)) throw thrown
      failures += 1
    }
  }
}

function waitMsOf(deps: Deps, failures: number): number {
  if (failures === 0) return POLL_MS
  return retryDelayMs(failures - 1, deps.random, { firstMs: PASSING_FIRST_MS, maxMs: PASSING_MAX_MS })
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
