import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { applicationIdOf } from '../../names.ts'

import { applicationView } from './view.ts'

export function applicationShow(deps: Deps, run = runApplicationShow) {
  return commandOf(deps, 'application.show', ['application show shop/api'])
    .argument('<application>', deps.text('argument.application'))
    .action((given) => deps.exit(run(deps, given)))
}

export async function runApplicationShow(deps: Deps, given: string): Promise<ExitCode> {
  const application = await applicationIdOf(deps, given)
  const result = await deps.api().getApplication({ application }, { signal: deps.signal })

  await deps.print(result, applicationView)
  return Exit.ok
}
