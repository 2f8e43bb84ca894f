import { confirm } from '../../ask.ts'
import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { organizationIdOf } from '../../names.ts'
import { printDeleted } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'

export function organizationDelete(deps: Deps, run = runOrganizationDelete) {
  return commandOf(deps, 'organization.delete', [
    'organization delete acme',
    'organization delete acme --yes',
  ])
    .argument('<organization>', deps.text('argument.organization'))
    .addOption(dryRunOption(deps))
    .action((organization, options) => deps.exit(run(deps, organization, options)))
}

export async function runOrganizationDelete(
  deps: Deps,
  given: string,
  options: { readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const organization = await organizationIdOf(deps, given)
  await confirm(deps, deps.text('organization.deleting', { name: given }), options)
  await deps.api().deleteOrganization({ organization }, mutationOptions(deps.signal, options))
  await printDeleted(deps, organization, options)
  return Exit.ok
}
