import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import type { ExitCode } from '../../exit.ts'
import { buildIdOf } from '../../names.ts'
import { followBuild, followTimeout } from './following.ts'

export function buildLogs(deps: Deps, run = runBuildLogs) {
  return commandOf(deps, 'build.logs', ['build logs shop/api#7', 'build logs shop/api'])
    .argument('<build>', deps.text('argument.build'))
    .addOption(followTimeout(deps))
    .action((given, options) => deps.exit(run(deps, given, options)))
}

/** Prints the log from its beginning and, while the build runs, goes on to its end. */
export async function runBuildLogs(
  deps: Deps,
  given: string,
  options: { readonly timeout: number },
): Promise<ExitCode> {
  const id = await buildIdOf(deps, given)
  const build = await deps.api().getBuild({ build: id }, { signal: deps.signal })
  const followed = await followBuild(deps, build, { ...options, write: (line) => deps.io.out(line) })
  return followed.exit
}
