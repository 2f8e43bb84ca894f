import { commandOf, limitOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { applicationIdOf } from '../../names.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { commitView } from './view.ts'

export function sourceCommits(deps: Deps, run = runSourceCommits) {
  return commandOf(deps, 'source.commits', [
    'source commits shop/api',
    'source commits shop/api --ref release/2',
  ])
    .argument('<application>', deps.text('argument.application'))
    .option('--ref <ref>', deps.text('option.ref'))
    .addOption(limitOption(deps))
    .action((given, options) => deps.exit(run(deps, given, options)))
}

export async function runSourceCommits(
  deps: Deps,
  given: string,
  options: { readonly ref?: string | undefined; readonly limit: number },
): Promise<ExitCode> {
  const application = await applicationIdOf(deps, given)
  const pages = deps
    .api()
    .pages.listCommits(
      { application, ref: options.ref, limit: pageSizeFor(options.limit) },
      { signal: deps.signal },
    )
  await deps.print(await readRows(deps, pages, options.limit), commitView)
  return Exit.ok
}
