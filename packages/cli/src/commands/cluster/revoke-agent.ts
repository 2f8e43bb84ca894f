import { confirm } from '../../ask.ts'
import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { clusterIdOf } from '../../names.ts'
import { printDeleted } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'

export function clusterRevokeAgent(deps: Deps, run = runClusterRevokeAgent) {
  return commandOf(deps, 'cluster.revoke-agent', ['cluster revoke-agent beijing'])
    .argument('<cluster>', deps.text('argument.cluster'))
    .addOption(dryRunOption(deps))
    .action((cluster, options) => deps.exit(run(deps, cluster, options)))
}

export async function runClusterRevokeAgent(
  deps: Deps,
  given: string,
  options: { readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const cluster = await clusterIdOf(deps, given)
  await confirm(deps, deps.text('cluster.revokingAgent', { name: given }), options)
  await deps.api().revokeAgentToken({ cluster }, mutationOptions(deps.signal, options))
  await printDeleted(deps, cluster, options)
  return Exit.ok
}
