import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { applicationIdOf } from '../../names.ts'
import { cacheView } from './view.ts'

export function buildCache(deps: Deps, run = runBuildCache) {
  return commandOf(deps, 'build.cache', ['build cache shop/api'])
    .argument('<application>', deps.text('argument.application'))
    .action((given) => deps.exit(run(deps, given)))
}

export async function runBuildCache(deps: Deps, given: string): Promise<ExitCode> {
  const application = await applicationIdOf(deps, given)
  await deps.print(await deps.api().getBuildCache({ application }, { signal: deps.signal }), cacheView)
  return Exit.ok
}
