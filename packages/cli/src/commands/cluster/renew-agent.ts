import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { clusterIdOf } from '../../names.ts'
import { readTextFile } from '../../files.ts'
import { mutationOptions } from '../../server.ts'
import { printAgent } from './agent-view.ts'

export function clusterRenewAgent(deps: Deps, run = runClusterRenewAgent) {
  return commandOf(deps, 'cluster.renew-agent', ['cluster renew-agent beijing'])
    .argument('<cluster>', deps.text('argument.cluster'))
    .option('--image <image>', deps.text('cluster.agentImage'))
    .option('--pull-secret <name>', deps.text('cluster.agentPullSecret'))
    .option('--ca <file>', deps.text('cluster.agentAuthority'))
    .action((cluster, options) => deps.exit(run(deps, cluster, options)))
}

type Options = {
  readonly image?: string | undefined
  readonly pullSecret?: string | undefined
  readonly ca?: string | undefined
}

export async function runClusterRenewAgent(deps: Deps, given: string, options: Options): Promise<ExitCode> {
  const { image, pullSecret: imagePullSecret, ca } = options
  const certificateAuthority = ca === undefined ? undefined : await readTextFile(deps, ca)
  const cluster = await clusterIdOf(deps, given)
  const body = { cluster, image, imagePullSecret, certificateAuthority }
  await printAgent(deps, await deps.api().renewAgentToken(body, mutationOptions(deps.signal, {})))
  return Exit.ok
}
