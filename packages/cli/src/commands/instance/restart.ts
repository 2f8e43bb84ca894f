import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { instanceIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { startedView } from './view.ts'

export function instanceRestart(deps: Deps, run = runInstanceRestart) {
  return commandOf(deps, 'instance.restart', ['instance restart shop/api/production/api-web-1a2b3c4d-x7k2p'])
    .argument('<instance>', deps.text('argument.instance'))
    .addOption(dryRunOption(deps))
    .action((given, options) => deps.exit(run(deps, given, options)))
}

export async function runInstanceRestart(
  deps: Deps,
  given: string,
  options: { readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const instance = await instanceIdOf(deps, given)
  const result = await deps.api().restartInstance({ instance }, mutationOptions(deps.signal, options))
  noteDryRun(deps, options)
  await deps.print(result, startedView)
  return Exit.ok
}
