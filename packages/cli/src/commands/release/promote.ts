import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { releaseIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { releaseView } from './view.ts'

export function releasePromote(deps: Deps, run = runReleasePromote) {
  return commandOf(deps, 'release.promote', ['release promote shop/api/production'])
    .argument('<release>', deps.text('argument.release'))
    .addOption(dryRunOption(deps))
    .action((given, options) => deps.exit(run(deps, given, options)))
}

export async function runReleasePromote(
  deps: Deps,
  given: string,
  options: { readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const release = await releaseIdOf(deps, given)
  const result = await deps.api().promoteRelease({ release }, mutationOptions(deps.signal, options))
  noteDryRun(deps, options)
  await deps.print(result, releaseView)
  return Exit.ok
}
