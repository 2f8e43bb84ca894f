import type { Release, Workload } from '@slipway/contract'
import { limiterOf } from '@slipway/kit'

import { commandOf, limitOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { projectIdOf } from '../../names.ts'
import { timeCell, type View } from '../../output/table.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { shortImage } from '../release/view.ts'

const AT_ONCE = 4

export function gateList(deps: Deps, run = runGateList) {
  return commandOf(deps, 'gate.list', ['gate list', 'gate list --project shop'])
    .option('--project <project>', deps.text('option.project'))
    .addOption(limitOption(deps))
    .action((options) => deps.exit(run(deps, options)))
}

type Waiting = { readonly workload: string; readonly release: Release }

const waitingView: View<Waiting> = {
  columns: [
    { title: 'column.workload', value: ({ workload }) => workload },
    { title: 'column.release', value: ({ release }) => release.number },
    { title: 'column.batch', value: ({ release }) => `${release.batch + 1}/${release.plan.batches.length}` },
    { title: 'column.weight', value: ({ release }) => `${release.weight} %` },
    { title: 'column.image', value: ({ release }) => shortImage(release.image) },
    { title: 'column.by', value: ({ release }) => release.createdBy, wide: true },
    { title: 'column.created', value: ({ release }) => timeCell(release.createdAt) },
    { title: 'column.id', value: ({ release }) => release.id },
  ],
  name: ({ release }) => release.id,
}

type Options = { readonly project?: string | undefined; readonly limit: number }

export async function runGateList(deps: Deps, options: Options): Promise<ExitCode> {
  const project = options.project === undefined ? undefined : await projectIdOf(deps, options.project)
  const pages = deps
    .api()
    .pages.listWorkloads({ project, limit: pageSizeFor(options.limit) }, { signal: deps.signal })
  const workloads = await readRows(deps, pages, options.limit)
  const limiter = limiterOf(AT_ONCE)
  const found = await Promise.all(workloads.map((one) => limiter.run(() => waitingOf(deps, one))))
  await deps.print(
    found.filter((one) => one !== undefined),
    waitingView,
  )
  return Exit.ok
}

/** Only the newest Release of a Workload can be under way. */
async function waitingOf(deps: Deps, workload: Workload): Promise<Waiting | undefined> {
  const { items } = await deps
    .api()
    .listReleases({ workload: workload.id, limit: 1 }, { signal: deps.signal })
  const [release] = items
  return release?.state === 'WaitPerson' ? { workload: workload.name, release } : undefined
}
