import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { applicationIdOf, environmentIdOf, workloadParts } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { workloadView } from './view.ts'

export function workloadCreate(deps: Deps, run = runWorkloadCreate) {
  return commandOf(deps, 'workload.create', ['workload create shop/api/production'])
    .argument('<workload>', deps.text('argument.workload'))
    .addOption(dryRunOption(deps))
    .action((workload, options) => deps.exit(run(deps, workload, options)))
}

export async function runWorkloadCreate(
  deps: Deps,
  given: string,
  options: { readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const { project, application, environment } = workloadParts(given, deps.server().context ?? {})
  const request = {
    application: await applicationIdOf(deps, `${project}/${application}`),
    environment: await environmentIdOf(deps, `${project}/${environment}`),
  }
  const made = await deps.api().createWorkload(request, mutationOptions(deps.signal, options))
  noteDryRun(deps, options)
  await deps.print(made, workloadView)
  return Exit.ok
}
