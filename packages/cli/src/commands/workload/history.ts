import { commandOf, limitOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { workloadIdOf } from '../../names.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { revisionView } from './view.ts'

export function workloadHistory(deps: Deps, run = runWorkloadHistory) {
  return commandOf(deps, 'workload.history', ['workload history shop/api/production'])
    .argument('<workload>', deps.text('argument.workload'))
    .addOption(limitOption(deps))
    .action((given, options) => deps.exit(run(deps, given, options)))
}

type Options = {
  readonly limit: number
}

export async function runWorkloadHistory(deps: Deps, given: string, options: Options): Promise<ExitCode> {
  const workload = await workloadIdOf(deps, given)
  const pages = deps
    .api()
    .pages.listConfigRevisions({ workload, limit: pageSizeFor(options.limit) }, { signal: deps.signal })
  await deps.print(await readRows(deps, pages, options.limit), revisionView)
  return Exit.ok
}
