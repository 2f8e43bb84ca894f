import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { releaseIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { releaseView } from './view.ts'

export function releaseAbort(deps: Deps, run = runReleaseAbort) {
  return commandOf(deps, 'release.abort', ['release abort shop/api/production'])
    .argument('<release>', deps.text('argument.release'))
    .addOption(dryRunOption(deps))
    .action((given, options) => deps.exit(run(deps, given, options)))
}

export async function runReleaseAbort(
  deps: Deps,
  given: string,
  options: { readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const release = await releaseIdOf(deps, given)
  const result = await deps.api().abortRelease({ release }, mutationOptions(deps.signal, options))
  noteDryRun(deps, options)
  await deps.print(result, releaseView)
  return Exit.ok
}
