import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { evacuationView } from './evacuation-view.ts'

export function nodeCancelDrain(deps: Deps, run = runNodeCancelDrain) {
  return commandOf(deps, 'node.cancel-drain', ['node cancel-drain eva_01k9x2v7c8d3f4g5h6j7m8n9pq'])
    .argument('<evacuation>', deps.text('argument.evacuation'))
    .option('--keep-cordoned', deps.text('node.cancel-drain.keep'))
    .addOption(dryRunOption(deps))
    .action((evacuation, options) => deps.exit(run(deps, evacuation, options)))
}

export async function runNodeCancelDrain(
  deps: Deps,
  evacuation: string,
  options: { readonly keepCordoned?: true | undefined; readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const call = mutationOptions(deps.signal, options)
  const schedulable = options.keepCordoned !== true
  const cancelled = await deps.api().cancelDrain({ evacuation, schedulable }, call)
  noteDryRun(deps, options)
  await deps.print(cancelled, evacuationView(deps))
  return Exit.ok
}
