import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { clusterIdOf } from '../../names.ts'
import { mutationOptions } from '../../server.ts'
import { printAgent } from './agent-view.ts'

export function clusterRenewAgent(deps: Deps, run = runClusterRenewAgent) {
  return commandOf(deps, 'cluster.renew-agent', ['cluster renew-agent beijing'])
    .argument('<cluster>', deps.text('argument.cluster'))
    .option('--image <image>', deps.text('cluster.agentImage'))
    .action((cluster, options) => deps.exit(run(deps, cluster, options)))
}

export async function runClusterRenewAgent(
  deps: Deps,
  given: string,
  { image }: { readonly image?: string | undefined },
): Promise<ExitCode> {
  const cluster = await clusterIdOf(deps, given)
  await printAgent(
    deps,
    await deps.api().renewAgentToken({ cluster, image }, mutationOptions(deps.signal, {})),
  )
  return Exit.ok
}
