import { commandOf, limitOption, textOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { organizationIdOf } from '../../names.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { projectView } from './view.ts'

export function projectList(deps: Deps, run = runProjectList) {
  return commandOf(deps, 'project.list', ['project list', 'project list --organization acme -o wide'])
    .option('--organization <organization>', deps.text('option.organization'))
    .addOption(textOption(deps))
    .addOption(limitOption(deps))
    .action((options) => deps.exit(run(deps, options)))
}

type Options = {
  readonly organization?: string | undefined
  readonly text?: string | undefined
  readonly limit: number
}

export async function runProjectList(deps: Deps, options: Options): Promise<ExitCode> {
  const organization =
    options.organization === undefined ? undefined : await organizationIdOf(deps, options.organization)
  const pages = deps
    .api()
    .pages.listProjects(
      { organization, text: options.text, limit: pageSizeFor(options.limit) },
      { signal: deps.signal },
    )
  await deps.print(await readRows(deps, pages, options.limit), projectView)
  return Exit.ok
}
