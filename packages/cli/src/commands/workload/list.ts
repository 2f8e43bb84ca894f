import { commandOf, limitOption, textOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { applicationIdOf, environmentIdOf, projectIdOf } from '../../names.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { workloadView } from './view.ts'

export function workloadList(deps: Deps, run = runWorkloadList) {
  return commandOf(deps, 'workload.list', ['workload list', 'workload list --project shop'])
    .option('--project <project>', deps.text('option.project'))
    .option('--application <application>', deps.text('argument.application'))
    .option('--environment <environment>', deps.text('argument.environment'))
    .addOption(textOption(deps))
    .addOption(limitOption(deps))
    .action((options) => deps.exit(run(deps, options)))
}

type Options = {
  readonly project?: string | undefined
  readonly application?: string | undefined
  readonly environment?: string | undefined
  readonly text?: string | undefined
  readonly limit: number
}

export async function runWorkloadList(deps: Deps, options: Options): Promise<ExitCode> {
  const project = options.project === undefined ? undefined : await projectIdOf(deps, options.project)
  const application =
    options.application === undefined ? undefined : await applicationIdOf(deps, options.application)
  const environment =
    options.environment === undefined ? undefined : await environmentIdOf(deps, options.environment)
  const pages = deps
    .api()
    .pages.listWorkloads(
      { project, application, environment, text: options.text, limit: pageSizeFor(options.limit) },
      { signal: deps.signal },
    )
  await deps.print(await readRows(deps, pages, options.limit), workloadView)
  return Exit.ok
}
