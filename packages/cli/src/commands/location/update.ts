import { Option } from '@commander-js/extra-typings'

import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { locationIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { locationView } from './view.ts'

export function locationUpdate(deps: Deps, run = runLocationUpdate) {
  return commandOf(deps, 'location.update', [
    'location update production --restricted',
    'location update east --default',
  ])
    .argument('<location>', deps.text('argument.location'))
    .option('--name <name>', deps.text('option.displayName'))
    .option('--restricted', deps.text('location.restricted'))
    .addOption(new Option('--open', deps.text('location.open')).conflicts('restricted'))
    .option('--default', deps.text('location.default'))
    .addOption(dryRunOption(deps))
    .action((location, options) => deps.exit(run(deps, location, options)))
}

type Options = {
  readonly name?: string | undefined
  readonly restricted?: true | undefined
  readonly open?: true | undefined
  readonly default?: true | undefined
  readonly dryRun?: boolean | undefined
}

export async function runLocationUpdate(deps: Deps, given: string, options: Options): Promise<ExitCode> {
  const location = await locationIdOf(deps, given)
  const { name, open, default: isDefault } = options
  const restricted = open === true ? false : options.restricted
  const call = mutationOptions(deps.signal, options)
  const updated = await deps.api().updateLocation({ location, name, restricted, isDefault }, call)
  noteDryRun(deps, options)
  await deps.print(updated, locationView)
  return Exit.ok
}
