import type { Build } from '@slipway/contract'
import { errorText } from '@slipway/messages'

import { timeoutOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { follow, tellConnection } from '../../follow.ts'
import { printable } from '../../output/width.ts'

const FOLLOW_SECONDS = 2 * 3_600

/** `--timeout` of everything that follows a build. */
export function followTimeout(deps: Deps) {
  return timeoutOption(deps, { seconds: FOLLOW_SECONDS })
}

/** How the lines of a log are written: beside a result, or as the result. */
export type LineWriter = (text: string) => Promise<void> | void

/**
 * Follows a build to its end: every line of its log, then what became of it.
 * Ctrl-C and the timeout only end the following. @returns the build as it was seen last
 */
export async function followBuild(
  deps: Deps,
  first: Build,
  options: { readonly timeout: number; readonly write: LineWriter },
): Promise<{ readonly exit: ExitCode; readonly build: Build }> {
  const log = logOf(deps, first, options.write)
  const { exit, state } = await follow(
    deps,
    first,
    {
      states: (signal) => log.states(signal),
      read: (signal) => deps.api().getBuild({ build: first.id }, { signal }),
      // What has ended is over only when its log has been read to its end.
      outcome: (build) =>
        build.endedAt === null || !log.isWhole()
          ? undefined
          : build.state === 'Succeeded'
            ? 'succeeded'
            : 'failed',
      line: () => '',
      again: `build logs ${first.id}`,
    },
    { timeout: options.timeout },
  )
  if (exit !== Exit.ok && exit !== Exit.error) return { exit, build: state }
  if (state.reason !== null)
    deps.io.complain(errorText(deps.language, state.reason.code, state.reason.params))
  return { exit, build: state }
}

/** The log, line by line over as many connections as it takes, and the states of the build that come along. */
function logOf(deps: Deps, first: Build, write: LineWriter) {
  let lastEventId: string | undefined
  let isWhole = false
  return {
    isWhole: () => isWhole,
    async *states(signal: AbortSignal): AsyncGenerator<Build, void, undefined> {
      let build = first
      const options = { signal, lastEventId, onConnection: tellConnection(deps) }
      for await (const event of deps.api().followBuildLog({ build: first.id }, options)) {
        // The contract says what each event carries.
        if (event.name === 'line') await write(printable((event.data as { text: string }).text))
        else if (event.name === 'build') {
          build = event.data as Build
          yield build
        }
        if (event.id !== '') lastEventId = event.id
      }
      isWhole = true
      yield build
    },
  }
}
