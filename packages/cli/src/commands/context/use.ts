import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { cliErrors } from '../../errors.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { contextView, shownContext } from './view.ts'

export function contextUse(deps: Deps, run = runContextUse) {
  return commandOf(deps, 'context.use', ['context use production'])
    .argument('<context>', deps.text('context.argument'))
    .action((name) => deps.exit(run(deps, name)))
}

export async function runContextUse(deps: Deps, name: string): Promise<ExitCode> {
  const config = deps.config.read()
  const context = Object.hasOwn(config.contexts, name) ? config.contexts[name] : undefined
  if (context === undefined) throw cliErrors.context_unknown({ name })
  await deps.config.write({ ...config, current: name })
  await deps.print(shownContext(name, context, true), contextView)
  return Exit.ok
}
