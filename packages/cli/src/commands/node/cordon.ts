import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { changeNode } from './change.ts'

export function nodeCordon(deps: Deps, run = changeNode) {
  return commandOf(deps, 'node.cordon', ['node cordon beijing n1'])
    .argument('<cluster>', deps.text('argument.cluster'))
    .argument('<node>', deps.text('argument.node'))
    .addOption(dryRunOption(deps))
    .action((cluster, node, options) => deps.exit(run(deps, { cluster, node, schedulable: false }, options)))
}
