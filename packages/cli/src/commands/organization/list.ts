import { commandOf, limitOption, textOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { organizationView } from './view.ts'

export function organizationList(deps: Deps, run = runOrganizationList) {
  return commandOf(deps, 'organization.list', ['organization list', "organization list --query '[*].slug'"])
    .addOption(textOption(deps))
    .addOption(limitOption(deps))
    .action((options) => deps.exit(run(deps, options)))
}

type Options = { readonly text?: string | undefined; readonly limit: number }

export async function runOrganizationList(deps: Deps, options: Options): Promise<ExitCode> {
  const pages = deps
    .api()
    .pages.listOrganizations(
      { text: options.text, limit: pageSizeFor(options.limit) },
      { signal: deps.signal },
    )
  await deps.print(await readRows(deps, pages, options.limit), organizationView)
  return Exit.ok
}
