import type { Build } from '@slipway/contract'
import { errorText } from '@slipway/messages'

import { timeoutOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
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
  const { io, text } = deps
  const late = new AbortController()
  using timer = deps.clock.after(options.timeout, () => late.abort())
  const signal = AbortSignal.any([deps.signal, late.signal])
  const command = `slipway build logs ${first.id}`
  let build = first
  try {
    for await (const event of deps.api().followBuildLog({ build: first.id }, { signal })) {
      // The contract says what each event carries.
      if (event.name === 'line') await options.write(printable((event.data as { text: string }).text))
      else if (event.name === 'build') build = event.data as Build
    }
  } catch (thrown) {
    if (deps.signal.aborted) {
      io.complain(text('follow.detached', { command }))
      return { exit: Exit.interrupted, build }
    }
    if (!late.signal.aborted) throw thrown
    io.complain(text('follow.timeout', { seconds: Math.round(options.timeout / 1_000), command }))
    return { exit: Exit.timeout, build }
  } finally {
    timer[Symbol.dispose]()
  }
  if (build.reason !== null) io.complain(errorText(deps.language, build.reason.code, build.reason.params))
  return { exit: build.state === 'Succeeded' ? Exit.ok : Exit.error, build }
}
