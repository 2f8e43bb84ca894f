import { commandOf, limitOption, textOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { clusterView } from './view.ts'

export function clusterList(deps: Deps, run = runClusterList) {
  return commandOf(deps, 'cluster.list', ['cluster list', 'cluster list -o wide'])
    .addOption(textOption(deps))
    .addOption(limitOption(deps))
    .action((options) => deps.exit(run(deps, options)))
}

type Options = {
  readonly text?: string | undefined
  readonly limit: number
}

export async function runClusterList(deps: Deps, options: Options): Promise<ExitCode> {
  const pages = deps
    .api()
    .pages.listClusters({ text: options.text, limit: pageSizeFor(options.limit) }, { signal: deps.signal })
  await deps.print(await readRows(deps, pages, options.limit), clusterView)
  return Exit.ok
}
