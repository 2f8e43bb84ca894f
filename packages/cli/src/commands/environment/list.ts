import { commandOf, limitOption, textOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { projectIdOf } from '../../names.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { environmentView } from './view.ts'

export function environmentList(deps: Deps, run = runEnvironmentList) {
  return commandOf(deps, 'environment.list', ['environment list --project shop'])
    .option('--project <project>', deps.text('option.project'))
    .addOption(textOption(deps))
    .addOption(limitOption(deps))
    .action((options) => deps.exit(run(deps, options)))
}

type Options = {
  readonly project?: string | undefined
  readonly text?: string | undefined
  readonly limit: number
}

export async function runEnvironmentList(deps: Deps, options: Options): Promise<ExitCode> {
  const project = await projectIdOf(deps, options.project)
  const pages = deps
    .api()
    .pages.listEnvironments(
      { project, text: options.text, limit: pageSizeFor(options.limit) },
      { signal: deps.signal },
    )
  await deps.print(await readRows(deps, pages, options.limit), environmentView)
  return Exit.ok
}
