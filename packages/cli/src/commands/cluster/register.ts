import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { readTextFile } from '../../files.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { clusterView } from './view.ts'
import { noteWarnings } from './warnings.ts'

export function clusterRegister(deps: Deps, run = runClusterRegister) {
  return commandOf(deps, 'cluster.register', [
    'cluster register beijing --kubeconfig ~/.kube/beijing.yaml',
    'cluster register shanghai --kubeconfig - --default --domain apps.example.com',
  ])
    .argument('<slug>', deps.text('argument.slug'))
    .requiredOption('--kubeconfig <file>', deps.text('cluster.kubeconfig'))
    .option('--name <name>', deps.text('option.displayName'))
    .option('--default', deps.text('cluster.register.default'))
    .option('--gateway <gateway>', deps.text('cluster.gateway'))
    .option('--gateway-url <url>', deps.text('cluster.gatewayUrl'))
    .option('--domain <domain>', deps.text('cluster.domain'))
    .addOption(dryRunOption(deps))
    .action((slug, options) => deps.exit(run(deps, slug, options)))
}

type Options = {
  readonly kubeconfig: string
  readonly name?: string | undefined
  readonly default?: boolean | undefined
  readonly gateway?: string | undefined
  readonly gatewayUrl?: string | undefined
  readonly domain?: string | undefined
  readonly dryRun?: boolean | undefined
}

export async function runClusterRegister(deps: Deps, slug: string, options: Options): Promise<ExitCode> {
  const { name, gateway, gatewayUrl, domain } = options
  const kubeconfig = await readTextFile(deps, options.kubeconfig)
  const made = await deps
    .api()
    .createCluster(
      { slug, name, kubeconfig, isDefault: options.default === true, gateway, gatewayUrl, domain },
      mutationOptions(deps.signal, options),
    )
  if (options.dryRun === true) {
    const { yaml } = await deps.api().getClusterManifest({}, { signal: deps.signal })
    deps.io.note(`${deps.text('cluster.register.manifest')}\n${yaml}`)
  }
  noteDryRun(deps, options)
  await deps.print(made, clusterView)
  noteWarnings(deps, made)
  return Exit.ok
}
