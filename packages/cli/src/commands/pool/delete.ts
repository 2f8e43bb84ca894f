import { confirm } from '../../ask.ts'
import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { poolIdOf } from '../../names.ts'
import { printDeleted } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { clusterOption } from './given.ts'

export function poolDelete(deps: Deps, run = runPoolDelete) {
  return commandOf(deps, 'pool.delete', ['pool delete gpu'])
    .argument('<pool>', deps.text('argument.pool'))
    .addOption(clusterOption(deps))
    .addOption(dryRunOption(deps))
    .action((given, options) => deps.exit(run(deps, given, options)))
}

export async function runPoolDelete(
  deps: Deps,
  given: string,
  options: { readonly cluster?: string | undefined; readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const pool = await poolIdOf(deps, given, options)
  await confirm(deps, deps.text('pool.deleting', { name: given }), options)
  await deps.api().deletePool({ pool }, mutationOptions(deps.signal, options))
  await printDeleted(deps, pool, options)
  return Exit.ok
}
