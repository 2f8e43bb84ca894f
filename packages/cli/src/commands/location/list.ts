import { commandOf, limitOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { locationView } from './view.ts'

export function locationList(deps: Deps, run = runLocationList) {
  return commandOf(deps, 'location.list', ['location list'])
    .addOption(limitOption(deps))
    .action((options) => deps.exit(run(deps, options)))
}

export async function runLocationList(deps: Deps, { limit }: { readonly limit: number }): Promise<ExitCode> {
  const pages = deps.api().pages.listLocations({ limit: pageSizeFor(limit) }, { signal: deps.signal })
  await deps.print(await readRows(deps, pages, limit), locationView)
  return Exit.ok
}
