import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { environmentIdOf } from '../../names.ts'
import { environmentView } from './view.ts'

export function environmentGet(deps: Deps, run = runEnvironmentGet) {
  return commandOf(deps, 'environment.get', ['environment get shop/production'])
    .argument('<environment>', deps.text('argument.environment'))
    .action((environment) => deps.exit(run(deps, environment)))
}

export async function runEnvironmentGet(deps: Deps, name: string): Promise<ExitCode> {
  const environment = await environmentIdOf(deps, name)
  await deps.print(await deps.api().getEnvironment({ environment }, { signal: deps.signal }), environmentView)
  return Exit.ok
}
