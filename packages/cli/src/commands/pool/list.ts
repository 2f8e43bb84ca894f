import { commandOf, limitOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { clusterIdOf } from '../../names.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { clusterOption } from './given.ts'
import { poolView } from './view.ts'

export function poolList(deps: Deps, run = runPoolList) {
  return commandOf(deps, 'pool.list', ['pool list', 'pool list --cluster beijing'])
    .addOption(clusterOption(deps))
    .addOption(limitOption(deps))
    .action((options) => deps.exit(run(deps, options)))
}

export async function runPoolList(
  deps: Deps,
  options: { readonly cluster?: string | undefined; readonly limit: number },
): Promise<ExitCode> {
  const cluster = options.cluster === undefined ? undefined : await clusterIdOf(deps, options.cluster)
  const query = { cluster, limit: pageSizeFor(options.limit) }
  const pages = deps.api().pages.listPools(query, { signal: deps.signal })
  await deps.print(await readRows(deps, pages, options.limit), poolView(deps))
  return Exit.ok
}
