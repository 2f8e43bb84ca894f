import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { clusterIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { labelsOption } from './given.ts'
import { poolView } from './view.ts'

export function poolCreate(deps: Deps, run = runPoolCreate) {
  return commandOf(deps, 'pool.create', [
    'pool create beijing gpu --node n1 --node n2 --exclusive',
    'pool create beijing fast --labels disk=ssd',
  ])
    .argument('<cluster>', deps.text('argument.cluster'))
    .argument('<slug>', deps.text('argument.slug'))
    .option('--name <name>', deps.text('option.displayName'))
    .option('--node <node...>', deps.text('pool.nodes'))
    .addOption(labelsOption(deps))
    .option('--exclusive', deps.text('pool.exclusive'))
    .addOption(dryRunOption(deps))
    .action((cluster, slug, options) => deps.exit(run(deps, { cluster, slug }, options)))
}

type Options = {
  readonly name?: string | undefined
  readonly node?: string[] | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly exclusive?: true | undefined
  readonly dryRun?: boolean | undefined
}

export async function runPoolCreate(
  deps: Deps,
  given: { readonly cluster: string; readonly slug: string },
  options: Options,
): Promise<ExitCode> {
  const cluster = await clusterIdOf(deps, given.cluster)
  const { name, node: nodes, labels: selector, exclusive } = options
  const call = mutationOptions(deps.signal, options)
  const input = { cluster, slug: given.slug, name, nodes, selector, exclusive }
  const made = await deps.api().createPool(input, call)
  noteDryRun(deps, options)
  await deps.print(made, poolView(deps))
  return Exit.ok
}
