import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { clusterIdOf } from '../../names.ts'
import { nodeLine, tenantView } from './view.ts'

export function nodeTenants(deps: Deps, run = runNodeTenants) {
  return commandOf(deps, 'node.tenants', ['node tenants beijing n1'])
    .argument('<cluster>', deps.text('argument.cluster'))
    .argument('<node>', deps.text('argument.node'))
    .action((cluster, node) => deps.exit(run(deps, cluster, node)))
}

export async function runNodeTenants(deps: Deps, given: string, name: string): Promise<ExitCode> {
  const cluster = await clusterIdOf(deps, given)
  const node = await deps.api().getNode({ cluster, node: name }, { signal: deps.signal })
  await deps.print(node.tenants, tenantView(deps))
  deps.io.note(nodeLine(deps, node))
  return Exit.ok
}
