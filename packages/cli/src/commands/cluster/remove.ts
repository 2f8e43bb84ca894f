import { confirm } from '../../ask.ts'
import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { clusterIdOf } from '../../names.ts'
import { printDeleted } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'

export function clusterRemove(deps: Deps, run = runClusterRemove) {
  return commandOf(deps, 'cluster.remove', ['cluster remove beijing', 'cluster remove beijing --yes'])
    .argument('<cluster>', deps.text('argument.cluster'))
    .addOption(dryRunOption(deps))
    .action((given, options) => deps.exit(run(deps, given, options)))
}

export async function runClusterRemove(
  deps: Deps,
  given: string,
  options: { readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const cluster = await clusterIdOf(deps, given)
  await confirm(deps, deps.text('cluster.removing', { name: given }), options)
  const { health } = await deps.api().getCluster({ cluster }, { signal: deps.signal })
  if (health.state !== 'ready') deps.io.note(deps.text('cluster.remove.unreached', { name: given }))
  await deps.api().deleteCluster({ cluster }, mutationOptions(deps.signal, options))
  await printDeleted(deps, cluster, options)
  return Exit.ok
}
