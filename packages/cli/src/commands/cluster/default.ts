import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { clusterIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { clusterView } from './view.ts'

export function clusterDefault(deps: Deps, run = runClusterDefault) {
  return commandOf(deps, 'cluster.default', ['cluster default beijing'])
    .argument('<cluster>', deps.text('argument.cluster'))
    .addOption(dryRunOption(deps))
    .action((cluster, options) => deps.exit(run(deps, cluster, options)))
}

export async function runClusterDefault(
  deps: Deps,
  given: string,
  options: { readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const cluster = await clusterIdOf(deps, given)
  const call = mutationOptions(deps.signal, options)
  const updated = await deps.api().updateCluster({ cluster, isDefault: true }, call)
  noteDryRun(deps, options)
  await deps.print(updated, clusterView)
  return Exit.ok
}
