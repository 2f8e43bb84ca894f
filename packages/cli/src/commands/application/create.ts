import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { applicationParts, projectIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { applicationView } from './view.ts'

export function applicationCreate(deps: Deps, run = runApplicationCreate) {
  return commandOf(deps, 'application.create', [
    'application create shop/api',
    'application create api --project shop --name 接口',
  ])
    .argument('<application>', deps.text('argument.application'))
    .option('--project <project>', deps.text('option.project'))
    .option('--name <name>', deps.text('option.displayName'))
    .addOption(dryRunOption(deps))
    .action((application, options) => deps.exit(run(deps, application, options)))
}

type Options = {
  readonly project?: string | undefined
  readonly name?: string | undefined
  readonly dryRun?: boolean | undefined
}

export async function runApplicationCreate(deps: Deps, given: string, options: Options): Promise<ExitCode> {
  const parts = applicationParts(given, options.project ?? deps.server().context?.project)
  const project = await projectIdOf(deps, parts.project)
  const call = mutationOptions(deps.signal, options)
  const made = await deps
    .api()
    .createApplication({ project, slug: parts.application, name: options.name }, call)
  noteDryRun(deps, options)
  await deps.print(made, applicationView)
  return Exit.ok
}
