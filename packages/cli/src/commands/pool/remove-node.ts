import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { changeNode } from './change-node.ts'
import { clusterOption } from './given.ts'

export function poolRemoveNode(deps: Deps, run = changeNode) {
  return commandOf(deps, 'pool.remove-node', ['pool remove-node gpu n3'])
    .argument('<pool>', deps.text('argument.pool'))
    .argument('<node>', deps.text('argument.node'))
    .addOption(clusterOption(deps))
    .addOption(dryRunOption(deps))
    .action((pool, node, options) => deps.exit(run(deps, { pool, node, joins: false }, options)))
}
