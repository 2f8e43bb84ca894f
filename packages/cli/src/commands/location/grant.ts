import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { decide } from './decide.ts'

export function locationGrant(deps: Deps, run = decide) {
  return commandOf(deps, 'location.grant', [
    'location grant lgr_01k9x2v7c8d3f4g5h6j7m8n9pq',
    'location grant lgr_01k9x2v7c8d3f4g5h6j7m8n9pq --until 90d',
  ])
    .argument('<grant>', deps.text('argument.grant'))
    .option('--until <when>', deps.text('location.until'))
    .option('--comment <text>', deps.text('location.comment'))
    .addOption(dryRunOption(deps))
    .action((grant, options) => deps.exit(run(deps, { grant, granted: true }, options)))
}
