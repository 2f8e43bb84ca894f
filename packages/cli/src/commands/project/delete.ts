import { confirm } from '../../ask.ts'
import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { projectIdOf } from '../../names.ts'
import { printDeleted } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'

export function projectDelete(deps: Deps, run = runProjectDelete) {
  return commandOf(deps, 'project.delete', ['project delete shop', 'project delete shop --yes'])
    .argument('<project>', deps.text('argument.project'))
    .addOption(dryRunOption(deps))
    .action((project, options) => deps.exit(run(deps, project, options)))
}

export async function runProjectDelete(
  deps: Deps,
  given: string,
  options: { readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const project = await projectIdOf(deps, given)
  await confirm(deps, deps.text('project.deleting', { name: given }), options)
  await deps.api().deleteProject({ project }, mutationOptions(deps.signal, options))
  await printDeleted(deps, project, options)
  return Exit.ok
}
