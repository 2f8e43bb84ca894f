import { commandOf, limitOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { applicationIdOf } from '../../names.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { buildView } from './view.ts'

export function buildList(deps: Deps, run = runBuildList) {
  return commandOf(deps, 'build.list', ['build list shop/api'])
    .argument('<application>', deps.text('argument.application'))
    .addOption(limitOption(deps))
    .action((given, options) => deps.exit(run(deps, given, options)))
}

export async function runBuildList(
  deps: Deps,
  given: string,
  options: { readonly limit: number },
): Promise<ExitCode> {
  const application = await applicationIdOf(deps, given)
  const pages = deps
    .api()
    .pages.listBuilds({ application, limit: pageSizeFor(options.limit) }, { signal: deps.signal })
  await deps.print(await readRows(deps, pages, options.limit), buildView)
  return Exit.ok
}
