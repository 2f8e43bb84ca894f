import { commandOf, limitOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { clusterIdOf } from '../../names.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { nodeView } from './view.ts'

export function clusterNodes(deps: Deps, run = runClusterNodes) {
  return commandOf(deps, 'cluster.nodes', ['cluster nodes beijing'])
    .argument('<cluster>', deps.text('argument.cluster'))
    .addOption(limitOption(deps))
    .action((given, options) => deps.exit(run(deps, given, options)))
}

type Options = {
  readonly limit: number
}

export async function runClusterNodes(deps: Deps, given: string, options: Options): Promise<ExitCode> {
  const cluster = await clusterIdOf(deps, given)
  const pages = deps
    .api()
    .pages.listNodes({ cluster, limit: pageSizeFor(options.limit) }, { signal: deps.signal })
  await deps.print(await readRows(deps, pages, options.limit), nodeView)
  return Exit.ok
}
