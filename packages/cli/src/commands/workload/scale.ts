import { commandOf, dryRunOption, wholeNumber } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { workloadIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { workloadView } from './view.ts'

const INSTANCES_MAX = 500

export function workloadScale(deps: Deps, run = runWorkloadScale) {
  return commandOf(deps, 'workload.scale', [
    'workload scale shop/api/production 4',
    'workload scale shop/api/production 2 --process worker',
  ])
    .argument('<workload>', deps.text('argument.workload'))
    .argument('<instances>', deps.text('workload.scale.instances'), wholeNumber(0, INSTANCES_MAX))
    .option('--process <process>', deps.text('option.process'))
    .addOption(dryRunOption(deps))
    .action((workload, instances, options) => deps.exit(run(deps, workload, instances, options)))
}

type Options = { readonly process?: string | undefined; readonly dryRun?: boolean | undefined }

export async function runWorkloadScale(
  deps: Deps,
  given: string,
  instances: number,
  options: Options,
): Promise<ExitCode> {
  const workload = await workloadIdOf(deps, given)
  const call = mutationOptions(deps.signal, options)
  const scaled = await deps.api().scaleWorkload({ workload, instances, process: options.process }, call)
  noteDryRun(deps, options)
  await deps.print(scaled, workloadView)
  return Exit.ok
}
