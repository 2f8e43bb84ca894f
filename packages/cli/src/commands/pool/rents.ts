import { Option } from '@commander-js/extra-typings'

import { commandOf, limitOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { poolIdOf, projectIdOf } from '../../names.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { clusterOption } from './given.ts'
import { rentView } from './view.ts'

const STATES = ['Active', 'Ending', 'Ended'] as const

export function poolRents(deps: Deps, run = runPoolRents) {
  return commandOf(deps, 'pool.rents', ['pool rents --state Ending', 'pool rents --project shop'])
    .option('--project <project>', deps.text('argument.project'))
    .option('--pool <pool>', deps.text('argument.pool'))
    .addOption(clusterOption(deps))
    .addOption(new Option('--state <state>', deps.text('pool.rents.state')).choices(STATES))
    .addOption(limitOption(deps))
    .action((options) => deps.exit(run(deps, options)))
}

type Options = {
  readonly project?: string | undefined
  readonly pool?: string | undefined
  readonly cluster?: string | undefined
  readonly state?: (typeof STATES)[number] | undefined
  readonly limit: number
}

export async function runPoolRents(deps: Deps, options: Options): Promise<ExitCode> {
  const project = options.project === undefined ? undefined : await projectIdOf(deps, options.project)
  const pool = options.pool === undefined ? undefined : await poolIdOf(deps, options.pool, options)
  const query = { project, pool, state: options.state, limit: pageSizeFor(options.limit) }
  const pages = deps.api().pages.listRents(query, { signal: deps.signal })
  await deps.print(await readRows(deps, pages, options.limit), rentView(deps))
  return Exit.ok
}
