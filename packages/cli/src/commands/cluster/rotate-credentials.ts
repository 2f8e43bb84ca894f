import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { clusterIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { clusterView } from './view.ts'

export function clusterRotateCredentials(deps: Deps, run = runClusterRotateCredentials) {
  return commandOf(deps, 'cluster.rotate-credentials', ['cluster rotate-credentials beijing'])
    .argument('<cluster>', deps.text('argument.cluster'))
    .addOption(dryRunOption(deps))
    .action((cluster, options) => deps.exit(run(deps, cluster, options)))
}

export async function runClusterRotateCredentials(
  deps: Deps,
  given: string,
  options: { readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const cluster = await clusterIdOf(deps, given)
  const rotated = await deps
    .api()
    .rotateClusterCredentials({ cluster }, mutationOptions(deps.signal, options))
  noteDryRun(deps, options)
  await deps.print(rotated, clusterView)
  return Exit.ok
}
