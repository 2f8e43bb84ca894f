import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { organizationIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { organizationView } from './view.ts'

export function organizationCreate(deps: Deps, run = runOrganizationCreate) {
  return commandOf(deps, 'organization.create', [
    'organization create acme --name "Acme 集团"',
    'organization create retail --parent acme',
  ])
    .argument('<slug>', deps.text('argument.slug'))
    .option('--name <name>', deps.text('option.displayName'))
    .option('--parent <organization>', deps.text('organization.create.parent'))
    .addOption(dryRunOption(deps))
    .action((slug, options) => deps.exit(run(deps, slug, options)))
}

type Options = {
  readonly name?: string | undefined
  readonly parent?: string | undefined
  readonly dryRun?: boolean | undefined
}

export async function runOrganizationCreate(deps: Deps, slug: string, options: Options): Promise<ExitCode> {
  const fields = { slug, name: options.name ?? slug }
  const call = mutationOptions(deps.signal, options)
  const made =
    options.parent === undefined
      ? await deps.api().createOrganization(fields, call)
      : await deps
          .api()
          .createSuborganization(
            { ...fields, organization: await organizationIdOf(deps, options.parent) },
            call,
          )
  noteDryRun(deps, options)
  await deps.print(made, organizationView)
  return Exit.ok
}
