import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { applicationIdOf } from '../../names.ts'
import { printDeleted } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'

export function buildClearCache(deps: Deps, run = runBuildClearCache) {
  return commandOf(deps, 'build.clear-cache', ['build clear-cache shop/api'])
    .argument('<application>', deps.text('argument.application'))
    .addOption(dryRunOption(deps))
    .action((given, options) => deps.exit(run(deps, given, options)))
}

/** Asks no question: the next build only takes longer. */
export async function runBuildClearCache(
  deps: Deps,
  given: string,
  options: { readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const application = await applicationIdOf(deps, given)
  await deps.api().clearBuildCache({ application }, mutationOptions(deps.signal, options))
  await printDeleted(deps, application, options)
  return Exit.ok
}
