import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { readTextFile } from '../../files.ts'
import { mutationOptions } from '../../server.ts'
import { printAgent } from './agent-view.ts'

export function clusterRegisterAgent(deps: Deps, run = runClusterRegisterAgent) {
  return commandOf(deps, 'cluster.register-agent', [
    'cluster register-agent beijing',
    'cluster register-agent beijing --image registry.example.com/node:24',
    'cluster register-agent beijing --ca authority.crt',
  ])
    .argument('<slug>', deps.text('argument.slug'))
    .option('--name <name>', deps.text('option.displayName'))
    .option('--default', deps.text('cluster.register.default'))
    .option('--image <image>', deps.text('cluster.agentImage'))
    .option('--pull-secret <name>', deps.text('cluster.agentPullSecret'))
    .option('--ca <file>', deps.text('cluster.agentAuthority'))
    .option('--gateway <gateway>', deps.text('cluster.gateway'))
    .option('--gateway-url <url>', deps.text('cluster.gatewayUrl'))
    .option('--domain <domain>', deps.text('cluster.domain'))
    .action((slug, options) => deps.exit(run(deps, slug, options)))
}

type Options = {
  readonly name?: string | undefined
  readonly default?: boolean | undefined
  readonly image?: string | undefined
  readonly pullSecret?: string | undefined
  readonly ca?: string | undefined
  readonly gateway?: string | undefined
  readonly gatewayUrl?: string | undefined
  readonly domain?: string | undefined
}

export async function runClusterRegisterAgent(deps: Deps, slug: string, options: Options): Promise<ExitCode> {
  const { default: isDefault = false, ca, pullSecret: imagePullSecret, ...rest } = options
  const certificateAuthority = ca === undefined ? undefined : await readTextFile(deps, ca)
  const call = mutationOptions(deps.signal, {})
  const body = { slug, isDefault, imagePullSecret, certificateAuthority, ...rest }
  const made = await deps.api().registerAgent(body, call)
  await printAgent(deps, made)
  return Exit.ok
}
