import { confirm } from '../../ask.ts'
import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { poolIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { clusterOption } from './given.ts'
import { poolView } from './view.ts'

export function poolReleaseRent(deps: Deps, run = runPoolReleaseRent) {
  return commandOf(deps, 'pool.release-rent', ['pool release-rent gpu'])
    .argument('<pool>', deps.text('argument.pool'))
    .addOption(clusterOption(deps))
    .addOption(dryRunOption(deps))
    .action((pool, options) => deps.exit(run(deps, pool, options)))
}

export async function runPoolReleaseRent(
  deps: Deps,
  given: string,
  options: { readonly cluster?: string | undefined; readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const pool = await poolIdOf(deps, given, options)
  await confirm(deps, deps.text('pool.releasing', { name: given }), options)
  const ended = await deps.api().endRent({ pool }, mutationOptions(deps.signal, options))
  noteDryRun(deps, options)
  await deps.print(ended, poolView(deps))
  return Exit.ok
}
