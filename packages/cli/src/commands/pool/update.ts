import { Option } from '@commander-js/extra-typings'

import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { poolIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { clusterOption, labelsOption } from './given.ts'
import { poolView } from './view.ts'

export function poolUpdate(deps: Deps, run = runPoolUpdate) {
  return commandOf(deps, 'pool.update', [
    'pool update gpu --exclusive',
    'pool update fast --labels disk=nvme',
  ])
    .argument('<pool>', deps.text('argument.pool'))
    .option('--name <name>', deps.text('option.displayName'))
    .addOption(labelsOption(deps))
    .addOption(new Option('--only-named', deps.text('pool.no-labels')).conflicts('labels'))
    .option('--exclusive', deps.text('pool.exclusive'))
    .addOption(new Option('--open', deps.text('pool.open')).conflicts('exclusive'))
    .addOption(clusterOption(deps))
    .addOption(dryRunOption(deps))
    .action((pool, options) => deps.exit(run(deps, pool, options)))
}

type Options = {
  readonly name?: string | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly onlyNamed?: true | undefined
  readonly exclusive?: true | undefined
  readonly open?: true | undefined
  readonly cluster?: string | undefined
  readonly dryRun?: boolean | undefined
}

export async function runPoolUpdate(deps: Deps, given: string, options: Options): Promise<ExitCode> {
  const pool = await poolIdOf(deps, given, options)
  const exclusive = options.open === true ? false : options.exclusive
  const selector = options.onlyNamed === true ? null : options.labels
  const call = mutationOptions(deps.signal, options)
  const updated = await deps.api().updatePool({ pool, name: options.name, exclusive, selector }, call)
  noteDryRun(deps, options)
  await deps.print(updated, poolView(deps))
  return Exit.ok
}
