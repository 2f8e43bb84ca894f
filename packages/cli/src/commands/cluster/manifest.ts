import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'

export function clusterManifest(deps: Deps, run = runClusterManifest) {
  return commandOf(deps, 'cluster.manifest', ['cluster manifest']).action(() => deps.exit(run(deps)))
}

export async function runClusterManifest(deps: Deps): Promise<ExitCode> {
  const { yaml } = await deps.api().getClusterManifest({}, { signal: deps.signal })
  const { output, query } = deps.globals
  if (query === undefined && output !== 'json') await deps.io.out(yaml)
  else await deps.print({ yaml }, { columns: [], name: () => 'slipway-system' })
  return Exit.ok
}
