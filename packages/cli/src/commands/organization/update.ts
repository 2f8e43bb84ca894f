import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { organizationIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { organizationView } from './view.ts'

export function organizationUpdate(deps: Deps, run = runOrganizationUpdate) {
  return commandOf(deps, 'organization.update', ['organization update acme --name "Acme Group"'])
    .argument('<organization>', deps.text('argument.organization'))
    .requiredOption('--name <name>', deps.text('option.displayName'))
    .addOption(dryRunOption(deps))
    .action((organization, options) => deps.exit(run(deps, organization, options)))
}

type Options = { readonly name: string; readonly dryRun?: boolean | undefined }

export async function runOrganizationUpdate(deps: Deps, given: string, options: Options): Promise<ExitCode> {
  const organization = await organizationIdOf(deps, given)
  const call = mutationOptions(deps.signal, options)
  const updated = await deps.api().updateOrganization({ organization, name: options.name }, call)
  noteDryRun(deps, options)
  await deps.print(updated, organizationView)
  return Exit.ok
}
