import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { contextView, shownContext } from './view.ts'

export function contextList(deps: Deps, run = runContextList) {
  return commandOf(deps, 'context.list', ['context list']).action(() => deps.exit(run(deps)))
}

export async function runContextList(deps: Deps): Promise<ExitCode> {
  const { contexts, current } = deps.config.read()
  const shown = Object.entries(contexts).map(([name, context]) =>
    shownContext(name, context, name === current),
  )
  await deps.print(shown, contextView)
  return Exit.ok
}
