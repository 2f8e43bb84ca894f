import { confirm } from '../../ask.ts'
import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { locationIdOf } from '../../names.ts'
import { printDeleted } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'

export function locationDelete(deps: Deps, run = runLocationDelete) {
  return commandOf(deps, 'location.delete', ['location delete east'])
    .argument('<location>', deps.text('argument.location'))
    .addOption(dryRunOption(deps))
    .action((given, options) => deps.exit(run(deps, given, options)))
}

export async function runLocationDelete(
  deps: Deps,
  given: string,
  options: { readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const location = await locationIdOf(deps, given)
  await confirm(deps, deps.text('location.deleting', { name: given }), options)
  await deps.api().deleteLocation({ location }, mutationOptions(deps.signal, options))
  await printDeleted(deps, location, options)
  return Exit.ok
}
