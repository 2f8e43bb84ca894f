import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { cliErrors } from '../../errors.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { workloadIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { workloadView } from './view.ts'

export function workloadPool(deps: Deps, run = runWorkloadPool) {
  return commandOf(deps, 'workload.pool', [
    'workload pool shop/api/production gpu',
    'workload pool shop/api/production --none',
  ])
    .argument('<workload>', deps.text('argument.workload'))
    .argument('[pool]', deps.text('argument.pool'))
    .option('--none', deps.text('workload.pool.none'))
    .addOption(dryRunOption(deps))
    .action((workload, pool, options) => deps.exit(run(deps, workload, pool, options)))
}

export async function runWorkloadPool(
  deps: Deps,
  given: string,
  pool: string | undefined,
  options: { readonly none?: true | undefined; readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  if ((pool === undefined) !== (options.none === true))
    throw cliErrors.argument_expected({ argument: 'pool', expected: '<pool> | --none' })
  const workload = await workloadIdOf(deps, given)
  const call = mutationOptions(deps.signal, options)
  const updated = await deps.api().updateWorkload({ workload, pool: pool ?? null }, call)
  noteDryRun(deps, options)
  await deps.print(updated, workloadView)
  return Exit.ok
}
