import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { clusterIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import type { View } from '../../output/table.ts'

const changedView: View<{ readonly name: string; readonly schedulable: boolean }> = {
  columns: [
    { title: 'column.name', value: ({ name }) => name },
    { title: 'column.schedulable', value: ({ schedulable }) => schedulable },
  ],
  name: ({ name }) => name,
}

/** Makes a node take Instances, or no more of them. */
export async function changeNode(
  deps: Deps,
  given: { readonly cluster: string; readonly node: string; readonly schedulable: boolean },
  options: { readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const { node, schedulable } = given
  const cluster = await clusterIdOf(deps, given.cluster)
  const call = mutationOptions(deps.signal, options)
  const changed = await deps.api().updateNode({ cluster, node, schedulable }, call)
  noteDryRun(deps, options)
  await deps.print(changed, changedView)
  return Exit.ok
}
