import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { releaseIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { releaseView } from './view.ts'

export function releaseResume(deps: Deps, run = runReleaseResume) {
  return commandOf(deps, 'release.resume', ['release resume shop/api/production'])
    .argument('<release>', deps.text('argument.release'))
    .addOption(dryRunOption(deps))
    .action((given, options) => deps.exit(run(deps, given, options)))
}

export async function runReleaseResume(
  deps: Deps,
  given: string,
  options: { readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const release = await releaseIdOf(deps, given)
  const result = await deps.api().resumeRelease({ release }, mutationOptions(deps.signal, options))
  noteDryRun(deps, options)
  await deps.print(result, releaseView)
  return Exit.ok
}
