import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { releaseIdOf, workloadIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { followRelease, followTimeout, type FollowOptions } from './following.ts'
import { releaseView } from './view.ts'

export function releaseRollback(deps: Deps, run = runReleaseRollback) {
  return commandOf(deps, 'release.rollback', [
    'release rollback shop/api/production',
    'release rollback shop/api/production shop/api/production#12 --keep-configuration',
  ])
    .argument('<workload>', deps.text('argument.workload'))
    .argument('[release]', deps.text('release.rollback.release'))
    .option('--keep-configuration', deps.text('release.rollback.keepConfiguration'))
    .option('--detach', deps.text('option.detach'))
    .option('--ci', deps.text('option.ci'))
    .addOption(followTimeout(deps))
    .addOption(dryRunOption(deps))
    .action((workload, release, options) => deps.exit(run(deps, workload, release, options)))
}

type Options = FollowOptions & {
  readonly keepConfiguration?: boolean | undefined
  readonly dryRun?: boolean | undefined
}

export async function runReleaseRollback(
  deps: Deps,
  given: string,
  target: string | undefined,
  options: Options,
): Promise<ExitCode> {
  const workload = await workloadIdOf(deps, given)
  const release = target === undefined ? undefined : await releaseIdOf(deps, target)
  const { keepConfiguration } = options
  const returning = await deps
    .api()
    .rollBackWorkload({ workload, release, keepConfiguration }, mutationOptions(deps.signal, options))
  if (options.dryRun === true) {
    noteDryRun(deps, options)
    await deps.print(returning, releaseView)
    return Exit.ok
  }
  // A Release under way that returns ends RolledBack; a new one to an older version ends Done.
  return followRelease(deps, returning, {
    ...options,
    wanted: returning.fromId === null ? 'RolledBack' : 'Done',
  })
}
