import { confirm } from '../../ask.ts'
import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { environmentIdOf } from '../../names.ts'
import { printDeleted } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'

export function environmentDelete(deps: Deps, run = runEnvironmentDelete) {
  return commandOf(deps, 'environment.delete', [
    'environment delete shop/test',
    'environment delete shop/test --yes',
  ])
    .argument('<environment>', deps.text('argument.environment'))
    .addOption(dryRunOption(deps))
    .action((environment, options) => deps.exit(run(deps, environment, options)))
}

export async function runEnvironmentDelete(
  deps: Deps,
  given: string,
  options: { readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const environment = await environmentIdOf(deps, given)
  await confirm(deps, deps.text('environment.deleting', { name: given }), options)
  await deps.api().deleteEnvironment({ environment }, mutationOptions(deps.signal, options))
  await printDeleted(deps, environment, options)
  return Exit.ok
}
