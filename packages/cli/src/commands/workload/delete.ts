import { confirm } from '../../ask.ts'
import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { workloadIdOf } from '../../names.ts'
import { printDeleted } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'

export function workloadDelete(deps: Deps, run = runWorkloadDelete) {
  return commandOf(deps, 'workload.delete', ['workload delete shop/api/test --yes'])
    .argument('<workload>', deps.text('argument.workload'))
    .addOption(dryRunOption(deps))
    .action((given, options) => deps.exit(run(deps, given, options)))
}

export async function runWorkloadDelete(
  deps: Deps,
  given: string,
  options: { readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const workload = await workloadIdOf(deps, given)
  await confirm(deps, deps.text('workload.deleting', { name: given }), options)
  await deps.api().deleteWorkload({ workload }, mutationOptions(deps.signal, options))
  await printDeleted(deps, workload, options)
  return Exit.ok
}
