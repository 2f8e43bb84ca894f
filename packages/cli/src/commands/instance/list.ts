import { instanceStates } from '../../choices.ts'
import { commandOf, limitOption, oneOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { workloadIdOf } from '../../names.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { instanceView } from './view.ts'

export function instanceList(deps: Deps, run = runInstanceList) {
  return commandOf(deps, 'instance.list', [
    'instance list shop/api/production',
    'instance list shop/api/production --process worker --state Failing',
  ])
    .argument('<workload>', deps.text('argument.workload'))
    .option('--process <process>', deps.text('option.process'))
    .option('--state <state>', deps.text('instance.list.state'), oneOf(instanceStates))
    .addOption(limitOption(deps))
    .action((workload, options) => deps.exit(run(deps, workload, options)))
}

type Options = {
  readonly process?: string | undefined
  readonly state?: (typeof instanceStates)[number] | undefined
  readonly limit: number
}

export async function runInstanceList(deps: Deps, given: string, options: Options): Promise<ExitCode> {
  const workload = await workloadIdOf(deps, given)
  const { process, state, limit } = options
  const pages = deps
    .api()
    .pages.listInstances({ workload, process, state, limit: pageSizeFor(limit) }, { signal: deps.signal })
  await deps.print(await readRows(deps, pages, limit), instanceView(deps.language))
  return Exit.ok
}
