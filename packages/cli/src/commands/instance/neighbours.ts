import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { instanceIdOf } from '../../names.ts'
import { nodeLine, tenantView } from '../node/view.ts'

export function instanceNeighbours(deps: Deps, run = runInstanceNeighbours) {
  return commandOf(deps, 'instance.neighbours', [
    'instance neighbours shop/api/production/api-web-1a2b3c4d-x7k2p',
  ])
    .argument('<instance>', deps.text('argument.instance'))
    .action((instance) => deps.exit(run(deps, instance)))
}

export async function runInstanceNeighbours(deps: Deps, given: string): Promise<ExitCode> {
  const instance = await instanceIdOf(deps, given)
  const { node, tenants } = await deps.api().getNeighbours({ instance }, { signal: deps.signal })
  await deps.print(tenants, tenantView(deps))
  deps.io.note(node === null ? deps.text('node.none') : nodeLine(deps, node))
  return Exit.ok
}
