import type { BuildSummary } from '@slipway/contract'

import { commandOf, limitOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { applicationIdOf, organizationIdOf, projectIdOf } from '../../names.ts'
import type { View } from '../../output/table.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { buildView } from './view.ts'

export function buildList(deps: Deps, run = runBuildList) {
  return commandOf(deps, 'build.list', ['build list shop/api', 'build list --project shop'])
    .argument('[application]', deps.text('argument.application'))
    .option('--project <project>', deps.text('option.project'))
    .option('--organization <organization>', deps.text('option.organization'))
    .addOption(limitOption(deps))
    .action((given, options) => deps.exit(run(deps, given, options)))
}

type Options = {
  readonly project?: string | undefined
  readonly organization?: string | undefined
  readonly limit: number
}

const summaryView: View<BuildSummary> = {
  name: buildView.name,
  columns: [{ title: 'column.application', value: ({ application }) => application }, ...buildView.columns],
}

/** Of one Application, or of all that the caller may see. */
export async function runBuildList(
  deps: Deps,
  given: string | undefined,
  options: Options,
): Promise<ExitCode> {
  const { limit } = options
  const calling = { signal: deps.signal }
  if (given !== undefined) {
    const application = await applicationIdOf(deps, given)
    const pages = deps.api().pages.listBuilds({ application, limit: pageSizeFor(limit) }, calling)
    await deps.print(await readRows(deps, pages, limit), buildView)
    return Exit.ok
  }
  const project = options.project === undefined ? undefined : await projectIdOf(deps, options.project)
  const organization =
    options.organization === undefined ? undefined : await organizationIdOf(deps, options.organization)
  const pages = deps.api().pages.searchBuilds({ project, organization, limit: pageSizeFor(limit) }, calling)
  await deps.print(await readRows(deps, pages, limit), summaryView)
  return Exit.ok
}
