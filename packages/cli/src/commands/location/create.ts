import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { locationView } from './view.ts'

export function locationCreate(deps: Deps, run = runLocationCreate) {
  return commandOf(deps, 'location.create', [
    'location create east',
    'location create production --restricted',
  ])
    .argument('<slug>', deps.text('argument.slug'))
    .option('--name <name>', deps.text('option.displayName'))
    .option('--restricted', deps.text('location.restricted'))
    .option('--default', deps.text('location.default'))
    .addOption(dryRunOption(deps))
    .action((slug, options) => deps.exit(run(deps, slug, options)))
}

type Options = {
  readonly name?: string | undefined
  readonly restricted?: true | undefined
  readonly default?: true | undefined
  readonly dryRun?: boolean | undefined
}

export async function runLocationCreate(deps: Deps, slug: string, options: Options): Promise<ExitCode> {
  const { name, restricted, default: isDefault } = options
  const call = mutationOptions(deps.signal, options)
  const made = await deps.api().createLocation({ slug, name, restricted, isDefault }, call)
  noteDryRun(deps, options)
  await deps.print(made, locationView)
  return Exit.ok
}
