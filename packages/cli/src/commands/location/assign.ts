import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { clusterIdOf, locationIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { locationView } from './view.ts'

export function locationAssign(deps: Deps, run = runLocationAssign) {
  return commandOf(deps, 'location.assign', ['location assign beijing production'])
    .argument('<cluster>', deps.text('argument.cluster'))
    .argument('<location>', deps.text('argument.location'))
    .addOption(dryRunOption(deps))
    .action((cluster, location, options) => deps.exit(run(deps, { cluster, location }, options)))
}

export async function runLocationAssign(
  deps: Deps,
  given: { readonly cluster: string; readonly location: string },
  options: { readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const cluster = await clusterIdOf(deps, given.cluster)
  const location = await locationIdOf(deps, given.location)
  const call = mutationOptions(deps.signal, options)
  const updated = await deps.api().setClusterLocation({ cluster, location }, call)
  noteDryRun(deps, options)
  await deps.print(updated, locationView)
  return Exit.ok
}
