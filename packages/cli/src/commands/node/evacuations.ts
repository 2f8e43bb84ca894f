import { Option } from '@commander-js/extra-typings'

import { commandOf, limitOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { clusterIdOf, workloadIdOf } from '../../names.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { evacuationView } from './evacuation-view.ts'

export function nodeEvacuations(deps: Deps, run = runNodeEvacuations) {
  return commandOf(deps, 'node.evacuations', [
    'node evacuations',
    'node evacuations --cluster beijing --kind loss',
    'node evacuations --workload shop/api/production',
  ])
    .option('--cluster <cluster>', deps.text('argument.cluster'))
    .option('--node <node>', deps.text('argument.node'))
    .option('--workload <workload>', deps.text('argument.workload'))
    .addOption(new Option('--kind <kind>', deps.text('node.evacuations.kind')).choices(['drain', 'loss']))
    .addOption(limitOption(deps))
    .action((options) => deps.exit(run(deps, options)))
}

type Options = {
  readonly cluster?: string | undefined
  readonly node?: string | undefined
  readonly workload?: string | undefined
  readonly kind?: 'drain' | 'loss' | undefined
  readonly limit: number
}

export async function runNodeEvacuations(deps: Deps, options: Options): Promise<ExitCode> {
  const { node, kind } = options
  const cluster = options.cluster === undefined ? undefined : await clusterIdOf(deps, options.cluster)
  const workload = options.workload === undefined ? undefined : await workloadIdOf(deps, options.workload)
  const query = { cluster, node, kind, workload, limit: pageSizeFor(options.limit) }
  const pages = deps.api().pages.listEvacuations(query, { signal: deps.signal })
  await deps.print(await readRows(deps, pages, options.limit), evacuationView(deps))
  return Exit.ok
}
