import { Option } from '@commander-js/extra-typings'
import type { RentPreview } from '@slipway/contract'

import { confirm } from '../../ask.ts'
import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { momentOf } from '../../moment.ts'
import { poolIdOf, projectIdOf } from '../../names.ts'
import { renderTable } from '../../output/table.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { clusterOption } from './given.ts'
import { guestView, poolView } from './view.ts'

export function poolRent(deps: Deps, run = runPoolRent) {
  return commandOf(deps, 'pool.rent', [
    'pool rent gpu --project shop --until 90d --dry-run',
    'pool rent gpu --project shop --until 2026-12-31T16:00:00Z --default',
  ])
    .argument('<pool>', deps.text('argument.pool'))
    .option('--project <project>', deps.text('argument.project'))
    .requiredOption('--until <when>', deps.text('pool.until'))
    .option('--default', deps.text('pool.default'))
    .addOption(
      new Option('--strangers <how>', deps.text('pool.strangers')).choices(['refuse', 'stay'] as const),
    )
    .option('--comment <text>', deps.text('pool.comment'))
    .addOption(clusterOption(deps))
    .addOption(dryRunOption(deps))
    .action((pool, options) => deps.exit(run(deps, pool, options)))
}

type Options = {
  readonly project?: string | undefined
  readonly until: string
  readonly default?: true | undefined
  readonly strangers?: 'refuse' | 'stay' | undefined
  readonly comment?: string | undefined
  readonly cluster?: string | undefined
  readonly dryRun?: boolean | undefined
}

export async function runPoolRent(deps: Deps, given: string, options: Options): Promise<ExitCode> {
  const until = momentOf(deps, { option: '--until', text: options.until, ahead: true })
  const pool = await poolIdOf(deps, given, options)
  const project = await projectIdOf(deps, options.project)
  notePreview(deps, await deps.api().getRentPreview({ pool, project }, { signal: deps.signal }))
  await confirm(
    deps,
    deps.text('pool.renting', { name: given, project: options.project ?? project, until }),
    options,
  )
  const { strangers, comment, default: isDefault } = options
  const call = mutationOptions(deps.signal, options)
  const rented = await deps.api().rentPool({ pool, project, until, isDefault, strangers, comment }, call)
  noteDryRun(deps, options)
  await deps.print(rented, poolView(deps))
  return Exit.ok
}

function notePreview(deps: Deps, { guests, nodes, strangers, builds, others }: RentPreview): void {
  const style = { language: deps.language, timeZone: undefined, columns: 0, text: deps.text, wide: false }
  if (guests.length > 0) deps.io.note(renderTable(guests, guestView, style))
  deps.io.note(deps.text('pool.preview', { nodes: nodes.length, ...strangers, builds, others }))
}
