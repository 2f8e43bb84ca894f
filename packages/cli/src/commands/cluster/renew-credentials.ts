import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { readTextFile } from '../../files.ts'
import { clusterIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { clusterView } from './view.ts'

export function clusterRenewCredentials(deps: Deps, run = runClusterRenewCredentials) {
  return commandOf(deps, 'cluster.renew-credentials', [
    'cluster renew-credentials beijing --kubeconfig ~/.kube/beijing.yaml',
  ])
    .argument('<cluster>', deps.text('argument.cluster'))
    .requiredOption('--kubeconfig <file>', deps.text('cluster.kubeconfig'))
    .addOption(dryRunOption(deps))
    .action((cluster, options) => deps.exit(run(deps, cluster, options)))
}

export async function runClusterRenewCredentials(
  deps: Deps,
  given: string,
  options: { readonly kubeconfig: string; readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const kubeconfig = await readTextFile(deps, options.kubeconfig)
  const cluster = await clusterIdOf(deps, given)
  const call = mutationOptions(deps.signal, options)
  const renewed = await deps.api().updateCluster({ cluster, kubeconfig }, call)
  noteDryRun(deps, options)
  await deps.print(renewed, clusterView)
  return Exit.ok
}
