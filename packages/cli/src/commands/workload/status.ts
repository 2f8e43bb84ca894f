import type { ReleaseBrief, WorkloadState } from '@slipway/contract'
import { Option } from '@commander-js/extra-typings'
import { troubleWords, type Language } from '@slipway/messages'

import { commandOf, limitOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { cliErrors } from '../../errors.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { organizationIdOf, projectIdOf, workloadIdOf } from '../../names.ts'
import { timeCell, type View } from '../../output/table.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { shortImage } from '../release/view.ts'

/** As the contract has them; the schema itself is not loaded. */
const healths: readonly WorkloadState['health'][] = [
  'Down',
  'Degraded',
  'Unknown',
  'Healthy',
  'Stopped',
  'Unreleased',
]

export function workloadStatus(deps: Deps, run = runWorkloadStatus) {
  return commandOf(deps, 'workload.status', [
    'workload status',
    'workload status shop/api/production',
    'workload status --project shop --health Down',
  ])
    .argument('[workload]', deps.text('argument.workload'))
    .option('--project <project>', deps.text('option.project'))
    .option('--organization <organization>', deps.text('option.organization'))
    .addOption(new Option('--health <health>', deps.text('workload.status.health')).choices(healths))
    .addOption(limitOption(deps))
    .action((workload, options) => deps.exit(run(deps, workload, options)))
}

type Options = {
  readonly project?: string | undefined
  readonly organization?: string | undefined
  readonly health?: WorkloadState['health'] | undefined
  readonly limit: number
}

/** How Workloads are, the worst first. */
export async function runWorkloadStatus(
  deps: Deps,
  given: string | undefined,
  options: Options,
): Promise<ExitCode> {
  if (given !== undefined) return showOne(deps, given)
  const project = options.project === undefined ? undefined : await projectIdOf(deps, options.project)
  const organization =
    options.organization === undefined ? undefined : await organizationIdOf(deps, options.organization)
  const { health, limit } = options
  const pages = deps
    .api()
    .pages.searchWorkloads(
      { project, organization, health, sort: 'health', limit: pageSizeFor(limit) },
      { signal: deps.signal },
    )
  await deps.print(await readRows(deps, pages, limit), stateView(deps.language))
  return Exit.ok
}

async function showOne(deps: Deps, given: string): Promise<ExitCode> {
  const id = await workloadIdOf(deps, given)
  const { name, applicationId } = await deps.api().getWorkload({ workload: id }, { signal: deps.signal })
  const { items } = await deps
    .api()
    .searchWorkloads({ application: applicationId, text: name, limit: 200 }, { signal: deps.signal })
  const state = items.find(({ workload }) => workload.id === id)
  if (!state) throw cliErrors.name_unknown({ kind: 'workload', name: given })
  await deps.print(state, stateView(deps.language))
  return Exit.ok
}

const stateView = (language: Language): View<WorkloadState> => ({
  columns: [
    { title: 'column.name', value: ({ workload }) => workload.name },
    { title: 'column.health', value: ({ health }) => health },
    { title: 'column.since', value: ({ since }) => timeCell(since) },
    { title: 'column.ready', value: ({ instances }) => `${instances.ready}/${instances.wanted}` },
    { title: 'column.release', value: ({ serving }) => releaseCell(serving) },
    { title: 'column.underWay', value: ({ active }) => releaseCell(active) },
    {
      title: 'column.image',
      value: ({ serving }) => (serving === null ? null : shortImage(serving.image)),
      wide: true,
    },
    { title: 'column.url', value: ({ urls }) => urls.at(0), wide: true },
    { title: 'column.id', value: ({ workload }) => workload.id, wide: true },
    { title: 'column.why', value: ({ trouble }) => troubleWords(language, trouble) },
  ],
  name: ({ workload }) => workload.name,
})

function releaseCell(release: ReleaseBrief | null): string | null {
  return release === null ? null : `#${release.number} ${release.state}${release.paused ? ' (paused)' : ''}`
}
