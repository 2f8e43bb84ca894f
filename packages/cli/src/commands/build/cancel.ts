import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { buildIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { buildView } from './view.ts'

export function buildCancel(deps: Deps, run = runBuildCancel) {
  return commandOf(deps, 'build.cancel', ['build cancel shop/api#7', 'build cancel shop/api'])
    .argument('<build>', deps.text('argument.build'))
    .addOption(dryRunOption(deps))
    .action((given, options) => deps.exit(run(deps, given, options)))
}

export async function runBuildCancel(
  deps: Deps,
  given: string,
  options: { readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const build = await buildIdOf(deps, given)
  const cancelled = await deps.api().cancelBuild({ build }, mutationOptions(deps.signal, options))
  noteDryRun(deps, options)
  await deps.print(cancelled, buildView)
  return Exit.ok
}
