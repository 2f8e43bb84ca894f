import { commandOf, limitOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { applicationIdOf } from '../../names.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { refView } from './view.ts'

export function sourceBranches(deps: Deps, run = runSourceBranches) {
  return commandOf(deps, 'source.branches', ['source branches shop/api'])
    .argument('<application>', deps.text('argument.application'))
    .addOption(limitOption(deps))
    .action((given, options) => deps.exit(run(deps, given, options)))
}

export async function runSourceBranches(
  deps: Deps,
  given: string,
  options: { readonly limit: number },
): Promise<ExitCode> {
  const application = await applicationIdOf(deps, given)
  const pages = deps
    .api()
    .pages.listSourceRefs({ application, limit: pageSizeFor(options.limit) }, { signal: deps.signal })
  await deps.print(await readRows(deps, pages, options.limit), refView)
  return Exit.ok
}
