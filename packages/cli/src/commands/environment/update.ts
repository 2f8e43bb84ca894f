import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { environmentIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { environmentView } from './view.ts'

export function environmentUpdate(deps: Deps, run = runEnvironmentUpdate) {
  return commandOf(deps, 'environment.update', ['environment update shop/production --name 生产环境'])
    .argument('<environment>', deps.text('argument.environment'))
    .requiredOption('--name <name>', deps.text('option.displayName'))
    .addOption(dryRunOption(deps))
    .action((environment, options) => deps.exit(run(deps, environment, options)))
}

type Options = { readonly name: string; readonly dryRun?: boolean | undefined }

export async function runEnvironmentUpdate(deps: Deps, given: string, options: Options): Promise<ExitCode> {
  const environment = await environmentIdOf(deps, given)
  const call = mutationOptions(deps.signal, options)
  const updated = await deps.api().updateEnvironment({ environment, name: options.name }, call)
  noteDryRun(deps, options)
  await deps.print(updated, environmentView)
  return Exit.ok
}
