import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { environmentParts, projectIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { environmentView } from './view.ts'

export function environmentCreate(deps: Deps, run = runEnvironmentCreate) {
  return commandOf(deps, 'environment.create', [
    'environment create shop/test',
    'environment create shop/production --location production',
    'environment create shop/production --cluster beijing --name 生产环境',
  ])
    .argument('<environment>', deps.text('argument.environment'))
    .option('--name <name>', deps.text('option.displayName'))
    .option('--cluster <cluster>', deps.text('environment.create.cluster'))
    .option('--location <location>', deps.text('environment.create.location'))
    .addOption(dryRunOption(deps))
    .action((environment, options) => deps.exit(run(deps, environment, options)))
}

type Options = {
  readonly name?: string | undefined
  readonly cluster?: string | undefined
  readonly location?: string | undefined
  readonly dryRun?: boolean | undefined
}

export async function runEnvironmentCreate(deps: Deps, given: string, options: Options): Promise<ExitCode> {
  const parts = environmentParts(given, deps.server().context?.project)
  const project = await projectIdOf(deps, parts.project)
  const made = await deps.api().createEnvironment(
    {
      project,
      slug: parts.environment,
      name: options.name ?? parts.environment,
      cluster: options.cluster,
      location: options.location,
    },
    mutationOptions(deps.signal, options),
  )
  noteDryRun(deps, options)
  await deps.print(made, environmentView)
  return Exit.ok
}
