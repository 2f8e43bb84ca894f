import { errorText } from '@slipway/messages'

import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { poolIdOf } from '../../names.ts'
import { clusterOption } from './given.ts'
import { poolNodeView } from './view.ts'

export function poolShow(deps: Deps, run = runPoolShow) {
  return commandOf(deps, 'pool.show', ['pool show gpu'])
    .argument('<pool>', deps.text('argument.pool'))
    .addOption(clusterOption(deps))
    .action((pool, options) => deps.exit(run(deps, pool, options)))
}

export async function runPoolShow(
  deps: Deps,
  given: string,
  options: { readonly cluster?: string | undefined },
): Promise<ExitCode> {
  const pool = await poolIdOf(deps, given, options)
  const { nodes, problem } = await deps.api().getPool({ pool }, { signal: deps.signal })
  await deps.print(nodes, poolNodeView(deps))
  if (problem) deps.io.note(errorText(deps.language, problem.code, problem.params))
  return Exit.ok
}
