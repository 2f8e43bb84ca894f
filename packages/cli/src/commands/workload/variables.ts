import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { workloadIdOf } from '../../names.ts'
import { variableView } from './view.ts'

export function workloadVariables(deps: Deps, run = runWorkloadVariables) {
  return commandOf(deps, 'workload.variables', ['workload variables shop/api/production'])
    .argument('<workload>', deps.text('argument.workload'))
    .action((workload) => deps.exit(run(deps, workload)))
}

export async function runWorkloadVariables(deps: Deps, given: string): Promise<ExitCode> {
  const workload = await workloadIdOf(deps, given)
  const { items } = await deps.api().listConfigRevisions({ workload, limit: 1 }, { signal: deps.signal })
  await deps.print(items[0]?.variables ?? [], variableView)
  return Exit.ok
}
