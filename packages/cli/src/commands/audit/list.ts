import { Option } from '@commander-js/extra-typings'

import { commandOf, limitOption, timestamp } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { organizationIdOf } from '../../names.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { auditView } from './view.ts'

export function auditList(deps: Deps, run = runAuditList) {
  return commandOf(deps, 'audit.list', [
    'audit list --action release.start --limit 20',
    'audit list --organization acme --from 2026-01-31 -o json',
  ])
    .option('--organization <organization>', deps.text('option.organization'))
    .addOption(new Option('--chain <chain>', deps.text('audit.list.chain')).conflicts('organization'))
    .option('--actor <user>', deps.text('audit.list.actor'))
    .option('--action <action>', deps.text('audit.list.action'))
    .option('--target <object>', deps.text('audit.list.target'))
    .option('--from <time>', deps.text('audit.list.from'), timestamp)
    .option('--until <time>', deps.text('audit.list.until'), timestamp)
    .addOption(limitOption(deps))
    .action((options) => deps.exit(run(deps, options)))
}

type Options = {
  readonly organization?: string | undefined
  readonly chain?: string | undefined
  readonly actor?: string | undefined
  readonly action?: string | undefined
  readonly target?: string | undefined
  readonly from?: string | undefined
  readonly until?: string | undefined
  readonly limit: number
}

export async function runAuditList(deps: Deps, options: Options): Promise<ExitCode> {
  const { organization: given, chain, limit, ...filter } = options
  const request = { ...filter, limit: pageSizeFor(limit) }
  const { pages } = deps.api()
  const call = { signal: deps.signal }
  const events =
    given === undefined
      ? pages.listAuditEvents({ ...request, chain }, call)
      : pages.listOrganizationAuditEvents(
          { ...request, organization: await organizationIdOf(deps, given) },
          call,
        )
  await deps.print(await readRows(deps, events, limit), auditView)
  return Exit.ok
}
