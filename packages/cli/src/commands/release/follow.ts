import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import type { ExitCode } from '../../exit.ts'
import { releaseIdOf } from '../../names.ts'
import { followRelease, followTimeout, type FollowOptions } from './following.ts'

export function releaseFollow(deps: Deps, run = runReleaseFollow) {
  return commandOf(deps, 'release.follow', [
    'release follow shop/api/production',
    'release follow shop/api/production#12 --ci --timeout 10m',
  ])
    .argument('<release>', deps.text('argument.release'))
    .option('--ci', deps.text('option.ci'))
    .addOption(followTimeout(deps))
    .action((release, options) => deps.exit(run(deps, release, options)))
}

export async function runReleaseFollow(deps: Deps, given: string, options: FollowOptions): Promise<ExitCode> {
  const release = await releaseIdOf(deps, given)
  return followRelease(deps, await deps.api().getRelease({ release }, { signal: deps.signal }), options)
}
