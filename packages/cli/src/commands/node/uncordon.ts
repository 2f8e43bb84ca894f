import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { changeNode } from './change.ts'

export function nodeUncordon(deps: Deps, run = changeNode) {
  return commandOf(deps, 'node.uncordon', ['node uncordon beijing n1'])
    .argument('<cluster>', deps.text('argument.cluster'))
    .argument('<node>', deps.text('argument.node'))
    .addOption(dryRunOption(deps))
    .action((cluster, node, options) => deps.exit(run(deps, { cluster, node, schedulable: true }, options)))
}
