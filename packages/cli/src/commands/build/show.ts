import { errorText } from '@slipway/messages'

import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { buildIdOf } from '../../names.ts'
import { buildView } from './view.ts'

export function buildShow(deps: Deps, run = runBuildShow) {
  return commandOf(deps, 'build.show', ['build show shop/api#7', 'build show shop/api'])
    .argument('<build>', deps.text('argument.build'))
    .action((given) => deps.exit(run(deps, given)))
}

export async function runBuildShow(deps: Deps, given: string): Promise<ExitCode> {
  const build = await buildIdOf(deps, given)
  const shown = await deps.api().getBuild({ build }, { signal: deps.signal })
  if (shown.reason !== null) deps.io.note(errorText(deps.language, shown.reason.code, shown.reason.params))
  await deps.print(shown, buildView)
  return Exit.ok
}
