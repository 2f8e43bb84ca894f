import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { organizationIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { projectView } from './view.ts'

export function projectCreate(deps: Deps, run = runProjectCreate) {
  return commandOf(deps, 'project.create', ['project create shop --organization acme --name "Web shop"'])
    .argument('<slug>', deps.text('argument.slug'))
    .option('--name <name>', deps.text('option.displayName'))
    .option('--organization <organization>', deps.text('option.organization'))
    .addOption(dryRunOption(deps))
    .action((slug, options) => deps.exit(run(deps, slug, options)))
}

type Options = {
  readonly name?: string | undefined
  readonly organization?: string | undefined
  readonly dryRun?: boolean | undefined
}

export async function runProjectCreate(deps: Deps, slug: string, options: Options): Promise<ExitCode> {
  const organization = await organizationIdOf(deps, options.organization)
  const call = mutationOptions(deps.signal, options)
  const made = await deps.api().createProject({ organization, slug, name: options.name ?? slug }, call)
  noteDryRun(deps, options)
  await deps.print(made, projectView)
  return Exit.ok
}
