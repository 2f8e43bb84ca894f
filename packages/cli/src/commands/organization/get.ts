import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { organizationIdOf } from '../../names.ts'
import { organizationView } from './view.ts'

export function organizationGet(deps: Deps, run = runOrganizationGet) {
  return commandOf(deps, 'organization.get', ['organization get acme', 'organization get acme -o json'])
    .argument('[organization]', deps.text('argument.organization'))
    .action((organization) => deps.exit(run(deps, organization)))
}

export async function runOrganizationGet(deps: Deps, name: string | undefined): Promise<ExitCode> {
  const organization = await organizationIdOf(deps, name)
  await deps.print(
    await deps.api().getOrganization({ organization }, { signal: deps.signal }),
    organizationView,
  )
  return Exit.ok
}
