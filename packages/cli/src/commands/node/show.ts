import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { clusterIdOf } from '../../names.ts'
import { nodeDetailView } from './view.ts'

export function nodeShow(deps: Deps, run = runNodeShow) {
  return commandOf(deps, 'node.show', ['node show beijing n1'])
    .argument('<cluster>', deps.text('argument.cluster'))
    .argument('<node>', deps.text('argument.node'))
    .action((cluster, node) => deps.exit(run(deps, cluster, node)))
}

export async function runNodeShow(deps: Deps, given: string, node: string): Promise<ExitCode> {
  const cluster = await clusterIdOf(deps, given)
  await deps.print(await deps.api().getNode({ cluster, node }, { signal: deps.signal }), nodeDetailView(deps))
  return Exit.ok
}
