import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { projectIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { projectView } from './view.ts'

export function projectUpdate(deps: Deps, run = runProjectUpdate) {
  return commandOf(deps, 'project.update', ['project update shop --name "网上商店"'])
    .argument('<project>', deps.text('argument.project'))
    .requiredOption('--name <name>', deps.text('option.displayName'))
    .addOption(dryRunOption(deps))
    .action((project, options) => deps.exit(run(deps, project, options)))
}

type Options = { readonly name: string; readonly dryRun?: boolean | undefined }

export async function runProjectUpdate(deps: Deps, given: string, options: Options): Promise<ExitCode> {
  const project = await projectIdOf(deps, given)
  const call = mutationOptions(deps.signal, options)
  const updated = await deps.api().updateProject({ project, name: options.name }, call)
  noteDryRun(deps, options)
  await deps.print(updated, projectView)
  return Exit.ok
}
