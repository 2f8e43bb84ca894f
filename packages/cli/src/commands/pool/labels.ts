import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { clusterIdOf } from '../../names.ts'
import { labelView } from './view.ts'

export function poolLabels(deps: Deps, run = runPoolLabels) {
  return commandOf(deps, 'pool.labels', ['pool labels beijing'])
    .argument('<cluster>', deps.text('argument.cluster'))
    .action((cluster) => deps.exit(run(deps, cluster)))
}

export async function runPoolLabels(deps: Deps, given: string): Promise<ExitCode> {
  const cluster = await clusterIdOf(deps, given)
  const { items } = await deps.api().listNodeLabels({ cluster }, { signal: deps.signal })
  await deps.print(items, labelView)
  return Exit.ok
}
