import { commandOf, limitOption, textOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { projectIdOf } from '../../names.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { applicationView } from './view.ts'

export function applicationList(deps: Deps, run = runApplicationList) {
  return commandOf(deps, 'application.list', ['application list', 'application list --project shop'])
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

export async function runApplicationList(deps: Deps, options: Options): Promise<ExitCode> {
  const project = options.project === undefined ? undefined : await projectIdOf(deps, options.project)
  const pages = deps
    .api()
    .pages.listApplications(
      { project, text: options.text, limit: pageSizeFor(options.limit) },
      { signal: deps.signal },
    )
  await deps.print(await readRows(deps, pages, options.limit), applicationView)
  return Exit.ok
}
