import { confirm } from '../../ask.ts'
import { commandOf } from '../../command.ts'
import { withContext } from '../../config.ts'
import type { Deps } from '../../deps.ts'
import { cliErrors } from '../../errors.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { printDeleted } from '../../rows.ts'

export function contextDelete(deps: Deps, run = runContextDelete) {
  return commandOf(deps, 'context.delete', ['context delete old --yes'])
    .argument('<context>', deps.text('context.argument'))
    .action((name) => deps.exit(run(deps, name)))
}

export async function runContextDelete(deps: Deps, name: string): Promise<ExitCode> {
  const config = deps.config.read()
  if (!Object.hasOwn(config.contexts, name)) throw cliErrors.context_unknown({ name })
  await confirm(deps, deps.text('context.deleting', { name }), {})
  await deps.config.write(withContext(config, name, undefined))
  await printDeleted(deps, name, {})
  return Exit.ok
}
