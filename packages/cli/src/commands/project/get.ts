import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { projectIdOf } from '../../names.ts'
import { projectView } from './view.ts'

export function projectGet(deps: Deps, run = runProjectGet) {
  return commandOf(deps, 'project.get', ['project get shop', 'project get shop -o json'])
    .argument('[project]', deps.text('argument.project'))
    .action((project) => deps.exit(run(deps, project)))
}

export async function runProjectGet(deps: Deps, name: string | undefined): Promise<ExitCode> {
  const project = await projectIdOf(deps, name)
  await deps.print(await deps.api().getProject({ project }, { signal: deps.signal }), projectView)
  return Exit.ok
}
