import type { DrainPreview, EvacuationDetail } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'

import { confirm } from '../../ask.ts'
import { commandOf, dryRunOption, timeoutOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { follow } from '../../follow.ts'
import { clusterIdOf } from '../../names.ts'
import { renderTable } from '../../output/table.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { effectView, evacuationLine, evacuationView } from './evacuation-view.ts'

const GIVE_UP_SECONDS = 3_600

export function nodeDrain(deps: Deps, run = runNodeDrain) {
  return commandOf(deps, 'node.drain', [
    'node drain beijing n1 --dry-run',
    'node drain beijing n1 --timeout 30m',
  ])
    .argument('<cluster>', deps.text('argument.cluster'))
    .argument('<node>', deps.text('argument.node'))
    .addOption(timeoutOption(deps, { seconds: GIVE_UP_SECONDS }))
    .option('--detach', deps.text('option.detach'))
    .option('--ci', deps.text('option.ci'))
    .addOption(dryRunOption(deps))
    .action((cluster, node, options) => deps.exit(run(deps, { cluster, node }, options)))
}

type Options = {
  /** Until the drain gives up, in ms. */
  readonly timeout: number
  readonly detach?: boolean | undefined
  readonly ci?: boolean | undefined
  readonly dryRun?: boolean | undefined
}

export async function runNodeDrain(
  deps: Deps,
  given: { readonly cluster: string; readonly node: string },
  options: Options,
): Promise<ExitCode> {
  const { node } = given
  const { signal } = deps
  const cluster = await clusterIdOf(deps, given.cluster)
  const preview = await deps.api().getDrainPreview({ cluster, node }, { signal })
  if (options.dryRun !== true) notePreview(deps, preview)
  await confirm(deps, deps.text('node.draining', { node }), options)
  const timeoutSeconds = Math.round(options.timeout / SECOND_MS)
  const call = mutationOptions(signal, options)
  const started = await deps.api().startDrain({ cluster, node, timeoutSeconds }, call)
  if (options.dryRun === true) {
    noteDryRun(deps, options)
    await deps.print(preview.effects, effectView(deps))
    return Exit.ok
  }
  if (options.detach === true) {
    deps.io.note(deps.text('follow.accepted', { command: `slipway node evacuation ${started.id}` }))
    await deps.print(started, evacuationView(deps))
    return Exit.ok
  }
  return followDrain(deps, started.id, options)
}

function notePreview(deps: Deps, { effects, builds, others, otherNodes }: DrainPreview): void {
  const style = { language: deps.language, timeZone: undefined, columns: 0, text: deps.text, wide: false }
  if (effects.length > 0) deps.io.note(renderTable(effects, effectView(deps), style))
  deps.io.note(deps.text('node.preview', { builds, others, otherNodes }))
}

async function followDrain(deps: Deps, id: string, options: Options): Promise<ExitCode> {
  const read = (signal: AbortSignal): Promise<EvacuationDetail> =>
    deps.api().getEvacuation({ evacuation: id }, { signal })
  const { exit, state } = await follow(
    deps,
    await read(deps.signal),
    {
      // Nothing streams them: they are asked for.
      states: async function* () {},
      read,
      outcome: (one) => (one.endedAt === null ? undefined : one.state === 'Done' ? 'succeeded' : 'failed'),
      line: (one) => evacuationLine(deps, one),
      again: `node evacuation ${id}`,
    },
    { ci: options.ci, timeout: options.timeout },
  )
  await deps.print(state, evacuationView(deps))
  return exit
}
