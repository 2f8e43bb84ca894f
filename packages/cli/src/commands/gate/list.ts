import type { WaitingGate } from '@slipway/contract'

import { commandOf, limitOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { organizationIdOf, projectIdOf } from '../../names.ts'
import { timeCell, type View } from '../../output/table.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { shortImage } from '../release/view.ts'

export function gateList(deps: Deps, run = runGateList) {
  return commandOf(deps, 'gate.list', ['gate list', 'gate list --project shop --all'])
    .option('--all', deps.text('gate.list.all'))
    .option('--project <project>', deps.text('option.project'))
    .option('--organization <organization>', deps.text('option.organization'))
    .addOption(limitOption(deps))
    .action((options) => deps.exit(run(deps, options)))
}

const waitingView: View<WaitingGate> = {
  columns: [
    { title: 'column.workload', value: ({ release }) => release.workload.name },
    { title: 'column.release', value: ({ release }) => release.number },
    { title: 'column.batch', value: ({ release }) => `${release.batch + 1}/${release.batches}` },
    { title: 'column.weight', value: ({ release }) => `${release.weight} %` },
    { title: 'column.image', value: ({ release }) => shortImage(release.image) },
    { title: 'column.by', value: ({ release }) => release.createdBy, wide: true },
    { title: 'column.mayApprove', value: ({ mayApprove }) => mayApprove, wide: true },
    { title: 'column.since', value: ({ release }) => timeCell(release.since) },
    { title: 'column.id', value: ({ release }) => release.id },
  ],
  name: ({ release }) => release.id,
}

type Options = {
  readonly all?: boolean | undefined
  readonly project?: string | undefined
  readonly organization?: string | undefined
  readonly limit: number
}

export async function runGateList(deps: Deps, options: Options): Promise<ExitCode> {
  const project = options.project === undefined ? undefined : await projectIdOf(deps, options.project)
  const organization =
    options.organization === undefined ? undefined : await organizationIdOf(deps, options.organization)
  const pages = deps.api().pages.listGates(
    {
      project,
      organization,
      for: options.all === true ? 'anyone' : 'me',
      limit: pageSizeFor(options.limit),
    },
    { signal: deps.signal },
  )
  await deps.print(await readRows(deps, pages, options.limit), waitingView)
  return Exit.ok
}
