import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { locationIdOf, projectIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { grantView } from './view.ts'

export function locationRequest(deps: Deps, run = runLocationRequest) {
  return commandOf(deps, 'location.request', [
    'location request production --project shop --reason "goes live in May"',
  ])
    .argument('<location>', deps.text('argument.location'))
    .option('--project <project>', deps.text('argument.project'))
    .option('--reason <text>', deps.text('location.reason'))
    .addOption(dryRunOption(deps))
    .action((location, options) => deps.exit(run(deps, location, options)))
}

type Options = {
  readonly project?: string | undefined
  readonly reason?: string | undefined
  readonly dryRun?: boolean | undefined
}

export async function runLocationRequest(deps: Deps, given: string, options: Options): Promise<ExitCode> {
  const project = await projectIdOf(deps, options.project)
  const location = await locationIdOf(deps, given)
  const call = mutationOptions(deps.signal, options)
  const made = await deps.api().requestLocation({ project, location, reason: options.reason }, call)
  noteDryRun(deps, options)
  await deps.print(made, grantView)
  return Exit.ok
}
