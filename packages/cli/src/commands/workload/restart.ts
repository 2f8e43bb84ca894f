import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { workloadIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { workloadView } from './view.ts'

export function workloadRestart(deps: Deps, run = runWorkloadRestart) {
  return commandOf(deps, 'workload.restart', ['workload restart shop/api/production'])
    .argument('<workload>', deps.text('argument.workload'))
    .option('--process <process>', deps.text('option.process'))
    .addOption(dryRunOption(deps))
    .action((workload, options) => deps.exit(run(deps, workload, options)))
}

type Options = { readonly process?: string | undefined; readonly dryRun?: boolean | undefined }

export async function runWorkloadRestart(deps: Deps, given: string, options: Options): Promise<ExitCode> {
  const workload = await workloadIdOf(deps, given)
  const call = mutationOptions(deps.signal, options)
  const restarted = await deps.api().restartWorkload({ workload, process: options.process }, call)
  noteDryRun(deps, options)
  await deps.print(restarted, workloadView)
  return Exit.ok
}
