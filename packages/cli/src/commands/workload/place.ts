import type { Placement } from '@slipway/contract'

import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { cliErrors } from '../../errors.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { readYamlFields } from '../../files.ts'
import { workloadIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { workloadView } from './view.ts'

export function workloadPlace(deps: Deps, run = runWorkloadPlace) {
  return commandOf(deps, 'workload.place', [
    'workload place shop/api/production placement.yaml',
    'workload place shop/api/production - --process worker',
    'workload place shop/api/production --clear',
  ])
    .argument('<workload>', deps.text('argument.workload'))
    .argument('[file]', deps.text('workload.place.file'))
    .option('--process <process>', deps.text('option.process'))
    .option('--clear', deps.text('workload.place.clear'))
    .addOption(dryRunOption(deps))
    .action((workload, file, options) => deps.exit(run(deps, workload, file, options)))
}

type Options = {
  readonly process?: string | undefined
  readonly clear?: boolean | undefined
  readonly dryRun?: boolean | undefined
}

export async function runWorkloadPlace(
  deps: Deps,
  given: string,
  file: string | undefined,
  options: Options,
): Promise<ExitCode> {
  const placement = await placementIn(deps, file, options)
  const workload = await workloadIdOf(deps, given)
  const call = mutationOptions(deps.signal, options)
  const placed = await deps.api().setPlacement({ workload, process: options.process, placement }, call)
  noteDryRun(deps, options)
  if (options.dryRun !== true) deps.io.note(deps.text('workload.place.next', { workload: given }))
  await deps.print(placed, workloadView)
  return Exit.ok
}

async function placementIn(
  deps: Deps,
  file: string | undefined,
  { clear }: Options,
): Promise<Placement | null> {
  if (clear === true && file !== undefined) throw cliErrors.options_conflict({ options: '<file>, --clear' })
  if (clear === true) return null
  if (file === undefined) throw cliErrors.argument_missing({ argument: 'file' })
  // What the file holds is checked where it is used: the server refuses it by the name of the field.
  return (await readYamlFields(deps, file, 'nodes:')) as unknown as Placement
}
