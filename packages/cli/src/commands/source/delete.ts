import { confirm } from '../../ask.ts'
import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { applicationIdOf } from '../../names.ts'
import { printDeleted } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'

export function sourceDelete(deps: Deps, run = runSourceDelete) {
  return commandOf(deps, 'source.delete', ['source delete shop/api'])
    .argument('<application>', deps.text('argument.application'))
    .addOption(dryRunOption(deps))
    .action((given, options) => deps.exit(run(deps, given, options)))
}

export async function runSourceDelete(
  deps: Deps,
  given: string,
  options: { readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const application = await applicationIdOf(deps, given)
  await confirm(deps, deps.text('source.deleting', { name: given }), options)
  await deps.api().deleteSource({ application }, mutationOptions(deps.signal, options))
  await printDeleted(deps, application, options)
  return Exit.ok
}
