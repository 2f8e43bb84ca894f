import { commandOf, limitOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { organizationView } from './view.ts'

export function organizationList(deps: Deps, run = runOrganizationList) {
  return commandOf(deps, 'organization.list', ['organization list', "organization list --query '[*].slug'"])
    .addOption(limitOption(deps))
    .action((options) => deps.exit(run(deps, options)))
}

export async function runOrganizationList(
  deps: Deps,
  options: { readonly limit: number },
): Promise<ExitCode> {
  const pages = deps
    .api()
    .pages.listOrganizations({ limit: pageSizeFor(options.limit) }, { signal: deps.signal })
  await deps.print(await readRows(deps, pages, options.limit), organizationView)
  return Exit.ok
}
