import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { evacuationLine, moveView } from './evacuation-view.ts'

export function nodeEvacuation(deps: Deps, run = runNodeEvacuation) {
  return commandOf(deps, 'node.evacuation', ['node evacuation eva_01k9x2v7c8d3f4g5h6j7m8n9pq'])
    .argument('<evacuation>', deps.text('argument.evacuation'))
    .action((evacuation) => deps.exit(run(deps, evacuation)))
}

export async function runNodeEvacuation(deps: Deps, evacuation: string): Promise<ExitCode> {
  const one = await deps.api().getEvacuation({ evacuation }, { signal: deps.signal })
  await deps.print(one.moves, moveView(deps))
  deps.io.note(evacuationLine(deps, one))
  return Exit.ok
}
