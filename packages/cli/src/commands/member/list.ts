import { commandOf, limitOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { organizationIdOf } from '../../names.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { memberView } from './view.ts'

export function memberList(deps: Deps, run = runMemberList) {
  return commandOf(deps, 'member.list', ['member list --organization acme'])
    .option('--organization <organization>', deps.text('option.organization'))
    .addOption(limitOption(deps))
    .action((options) => deps.exit(run(deps, options)))
}

type Options = { readonly organization?: string | undefined; readonly limit: number }

export async function runMemberList(deps: Deps, options: Options): Promise<ExitCode> {
  const organization = await organizationIdOf(deps, options.organization)
  const pages = deps
    .api()
    .pages.listMembers({ organization, limit: pageSizeFor(options.limit) }, { signal: deps.signal })
  await deps.print(await readRows(deps, pages, options.limit), memberView)
  return Exit.ok
}
