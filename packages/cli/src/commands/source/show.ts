import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { applicationIdOf } from '../../names.ts'
import { sourceView } from './view.ts'

export function sourceShow(deps: Deps, run = runSourceShow) {
  return commandOf(deps, 'source.show', ['source show shop/api'])
    .argument('<application>', deps.text('argument.application'))
    .action((given) => deps.exit(run(deps, given)))
}

export async function runSourceShow(deps: Deps, given: string): Promise<ExitCode> {
  const application = await applicationIdOf(deps, given)
  await deps.print(await deps.api().getSource({ application }, { signal: deps.signal }), sourceView(deps))
  return Exit.ok
}
