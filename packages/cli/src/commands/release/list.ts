import type { ReleaseSummary } from '@slipway/contract'

import { commandOf, limitOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { organizationIdOf, projectIdOf, workloadIdOf } from '../../names.ts'
import { timeCell, type View } from '../../output/table.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { releaseView, shortImage } from './view.ts'

export function releaseList(deps: Deps, run = runReleaseList) {
  return commandOf(deps, 'release.list', [
    'release list shop/api/production',
    'release list --project shop',
    'release list --wrong',
  ])
    .argument('[workload]', deps.text('argument.workload'))
    .option('--project <project>', deps.text('option.project'))
    .option('--organization <organization>', deps.text('option.organization'))
    .option('--wrong', deps.text('release.list.wrong'))
    .addOption(limitOption(deps))
    .action((given, options) => deps.exit(run(deps, given, options)))
}

type Options = {
  readonly project?: string | undefined
  readonly organization?: string | undefined
  readonly wrong?: boolean | undefined
  readonly limit: number
}

const summaryView: View<ReleaseSummary> = {
  columns: [
    { title: 'column.workload', value: ({ workload }) => workload.name },
    { title: 'column.sequence', value: ({ number }) => number },
    { title: 'column.state', value: ({ state, paused }) => (paused ? `${state} (paused)` : state) },
    { title: 'column.image', value: ({ image }) => shortImage(image) },
    { title: 'column.batch', value: ({ batch, batches }) => `${batch + 1}/${batches}`, wide: true },
    { title: 'column.weight', value: ({ weight }) => `${weight} %` },
    { title: 'column.by', value: ({ createdBy }) => createdBy, wide: true },
    { title: 'column.id', value: ({ id }) => id },
    { title: 'column.created', value: ({ createdAt }) => timeCell(createdAt) },
    { title: 'column.ended', value: ({ endedAt }) => timeCell(endedAt), wide: true },
  ],
  name: ({ id }) => id,
}

export async function runReleaseList(
  deps: Deps,
  given: string | undefined,
  options: Options,
): Promise<ExitCode> {
  const { limit } = options
  const calling = { signal: deps.signal }
  if (given !== undefined) {
    const workload = await workloadIdOf(deps, given)
    const pages = deps.api().pages.listReleases({ workload, limit: pageSizeFor(limit) }, calling)
    await deps.print(await readRows(deps, pages, limit), releaseView)
    return Exit.ok
  }
  const project = options.project === undefined ? undefined : await projectIdOf(deps, options.project)
  const organization =
    options.organization === undefined ? undefined : await organizationIdOf(deps, options.organization)
  const group = options.wrong === true ? 'wrong' : undefined
  const narrowed = { project, organization, group, limit: pageSizeFor(limit) } as const
  await deps.print(
    await readRows(deps, deps.api().pages.searchReleases(narrowed, calling), limit),
    summaryView,
  )
  return Exit.ok
}
