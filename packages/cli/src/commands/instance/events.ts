import { commandOf, limitOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { instanceIdOf } from '../../names.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { instanceEventView } from './view.ts'

export function instanceEvents(deps: Deps, run = runInstanceEvents) {
  return commandOf(deps, 'instance.events', ['instance events shop/api/production/api-web-1a2b3c4d-x7k2p'])
    .argument('<instance>', deps.text('argument.instance'))
    .addOption(limitOption(deps))
    .action((given, options) => deps.exit(run(deps, given, options)))
}

type Options = {
  readonly limit: number
}

export async function runInstanceEvents(deps: Deps, given: string, options: Options): Promise<ExitCode> {
  const instance = await instanceIdOf(deps, given)
  const pages = deps
    .api()
    .pages.listInstanceEvents({ instance, limit: pageSizeFor(options.limit) }, { signal: deps.signal })
  await deps.print(await readRows(deps, pages, options.limit), instanceEventView)
  return Exit.ok
}
