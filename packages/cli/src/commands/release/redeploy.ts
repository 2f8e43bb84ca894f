import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { releaseIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { followRelease, followTimeout, type FollowOptions } from './following.ts'
import { releaseView } from './view.ts'

export function releaseRedeploy(deps: Deps, run = runReleaseRedeploy) {
  return commandOf(deps, 'release.redeploy', ['release redeploy shop/api/production'])
    .argument('<release>', deps.text('argument.release'))
    .option('--detach', deps.text('option.detach'))
    .option('--ci', deps.text('option.ci'))
    .addOption(followTimeout(deps))
    .addOption(dryRunOption(deps))
    .action((release, options) => deps.exit(run(deps, release, options)))
}

export async function runReleaseRedeploy(
  deps: Deps,
  given: string,
  options: FollowOptions & { readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const release = await releaseIdOf(deps, given)
  const made = await deps.api().redeployRelease({ release }, mutationOptions(deps.signal, options))
  if (options.dryRun !== true) return followRelease(deps, made, options)
  noteDryRun(deps, options)
  await deps.print(made, releaseView)
  return Exit.ok
}
