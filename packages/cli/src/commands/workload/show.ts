import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { workloadIdOf } from '../../names.ts'

import { workloadView } from './view.ts'

export function workloadShow(deps: Deps, run = runWorkloadShow) {
  return commandOf(deps, 'workload.show', ['workload show shop/api/production'])
    .argument('<workload>', deps.text('argument.workload'))
    .action((given) => deps.exit(run(deps, given)))
}

export async function runWorkloadShow(deps: Deps, given: string): Promise<ExitCode> {
  const workload = await workloadIdOf(deps, given)
  const result = await deps.api().getWorkload({ workload }, { signal: deps.signal })

  await deps.print(result, workloadView)
  return Exit.ok
}
