import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { instanceIdOf } from '../../names.ts'
import { instanceView } from './view.ts'

export function instanceShow(deps: Deps, run = runInstanceShow) {
  return commandOf(deps, 'instance.show', ['instance show shop/api/production/api-web-1a2b3c4d-x7k2p'])
    .argument('<instance>', deps.text('argument.instance'))
    .action((instance) => deps.exit(run(deps, instance)))
}

export async function runInstanceShow(deps: Deps, given: string): Promise<ExitCode> {
  const instance = await instanceIdOf(deps, given)
  const found = await deps.api().getInstance({ instance }, { signal: deps.signal })
  await deps.print(found, instanceView(deps.language))
  return Exit.ok
}
