import { commandOf } from '../command.ts'
import type { Deps } from '../deps.ts'
import { Exit, type ExitCode } from '../exit.ts'
import { workloadIdOf } from '../names.ts'

export function exportWorkload(deps: Deps, run = runExport) {
  return commandOf(deps, 'export', ['export shop/api/production'])
    .argument('<workload>', deps.text('argument.workload'))
    .action((workload) => deps.exit(run(deps, workload)))
}

/** Prints the YAML itself, to be redirected into a file; with `-o json` as the API answered it. */
export async function runExport(deps: Deps, given: string): Promise<ExitCode> {
  const workload = await workloadIdOf(deps, given)
  const { yaml } = await deps.api().exportWorkload({ workload }, { signal: deps.signal })
  const { output, query } = deps.globals
  if (query === undefined && output !== 'json') await deps.io.out(yaml)
  else await deps.print({ yaml }, { columns: [], name: () => given })
  return Exit.ok
}
