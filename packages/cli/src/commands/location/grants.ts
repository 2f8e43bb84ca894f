import { Option } from '@commander-js/extra-typings'

import { commandOf, limitOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { projectIdOf } from '../../names.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { grantView } from './view.ts'

const STATES = ['Requested', 'Granted', 'Refused', 'Ended'] as const

export function locationGrants(deps: Deps, run = runLocationGrants) {
  return commandOf(deps, 'location.grants', [
    'location grants --state Requested',
    'location grants --project shop',
  ])
    .option('--project <project>', deps.text('argument.project'))
    .addOption(new Option('--state <state>', deps.text('location.grants.state')).choices(STATES))
    .addOption(limitOption(deps))
    .action((options) => deps.exit(run(deps, options)))
}

type Options = {
  readonly project?: string | undefined
  readonly state?: (typeof STATES)[number] | undefined
  readonly limit: number
}

export async function runLocationGrants(deps: Deps, options: Options): Promise<ExitCode> {
  const project = options.project === undefined ? undefined : await projectIdOf(deps, options.project)
  const query = { project, state: options.state, limit: pageSizeFor(options.limit) }
  const pages = deps.api().pages.listLocationGrants(query, { signal: deps.signal })
  await deps.print(await readRows(deps, pages, options.limit), grantView)
  return Exit.ok
}
