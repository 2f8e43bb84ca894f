import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { clusterIdOf } from '../../names.ts'

import { clusterView } from './view.ts'
import { noteWarnings } from './warnings.ts'

export function clusterShow(deps: Deps, run = runClusterShow) {
  return commandOf(deps, 'cluster.show', ['cluster show beijing'])
    .argument('<cluster>', deps.text('argument.cluster'))
    .action((given) => deps.exit(run(deps, given)))
}

export async function runClusterShow(deps: Deps, given: string): Promise<ExitCode> {
  const cluster = await clusterIdOf(deps, given)
  const result = await deps.api().getCluster({ cluster }, { signal: deps.signal })

  await deps.print(result, clusterView)
  noteWarnings(deps, result)
  return Exit.ok
}
