import { commandOf, dryRunOption, durationMs } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { workloadIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { workloadView } from './view.ts'

export function workloadKeep(deps: Deps, run = runWorkloadKeep) {
  return commandOf(deps, 'workload.keep', ['workload keep shop/api/production 30m'])
    .argument('<workload>', deps.text('argument.workload'))
    .argument('<duration>', deps.text('workload.keep.duration'), durationMs)
    .addOption(dryRunOption(deps))
    .action((workload, duration, options) => deps.exit(run(deps, workload, duration, options)))
}

export async function runWorkloadKeep(
  deps: Deps,
  given: string,
  keepMs: number,
  options: { readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const workload = await workloadIdOf(deps, given)
  const call = mutationOptions(deps.signal, options)
  const updated = await deps.api().updateWorkload({ workload, keepSeconds: Math.round(keepMs / 1_000) }, call)
  noteDryRun(deps, options)
  await deps.print(updated, workloadView)
  return Exit.ok
}
