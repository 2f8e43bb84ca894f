import { Option } from '@commander-js/extra-typings'
import type { Plan } from '@slipway/contract'

import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { cliErrors } from '../../errors.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { readYamlFields } from '../../files.ts'
import { workloadIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { followRelease, followTimeout } from './following.ts'
import { parseSteps } from './steps.ts'
import { releaseView } from './view.ts'

export function releaseStart(deps: Deps, run = runReleaseStart) {
  return commandOf(deps, 'release.start', [
    'release start shop/api/production --image 1.4.0',
    'release start shop/api/production --image 1.4.0 --steps "1,person,25%,header x-gray: 1,rest"',
    'release start shop/api/production --image 1.4.0 --plan plan.yaml --instances web=4 --detach',
  ])
    .argument('<workload>', deps.text('argument.workload'))
    .requiredOption('--image <reference>', deps.text('release.start.image'))
    .option('--plan <file>', deps.text('release.start.plan'))
    .option('--steps <steps>', deps.text('release.start.steps'))
    .option('--instances <counts>', deps.text('release.start.instances'), counted)
    .addOption(
      new Option('--capacity <way>', deps.text('release.start.capacity')).choices([
        'require',
        'lower',
        'ignore',
      ] as const),
    )
    .option('--detach', deps.text('option.detach'))
    .option('--ci', deps.text('option.ci'))
    .addOption(followTimeout(deps))
    .addOption(dryRunOption(deps))
    .action((workload, options) => deps.exit(run(deps, workload, options)))
}

type Options = {
  readonly image: string
  readonly plan?: string | undefined
  readonly steps?: string | undefined
  readonly instances?: Readonly<Record<string, number>> | undefined
  readonly capacity?: Plan['capacity'] | undefined
  readonly detach?: boolean | undefined
  readonly ci?: boolean | undefined
  readonly timeout: number
  readonly dryRun?: boolean | undefined
}

export async function runReleaseStart(deps: Deps, given: string, options: Options): Promise<ExitCode> {
  const plan = withCapacity(await planOf(deps, options), options.capacity)
  const workload = await workloadIdOf(deps, given)
  const release = await deps
    .api()
    .startRelease(
      { workload, image: options.image, plan, instances: options.instances },
      mutationOptions(deps.signal, options),
    )
  if (options.dryRun !== true) return followRelease(deps, release, options)
  noteDryRun(deps, options)
  await deps.print(release, releaseView)
  return Exit.ok
}

/** `web=4`, repeatable and joined by commas. */
function counted(text: string, before: Readonly<Record<string, number>> = {}): Record<string, number> {
  const counts: Record<string, number> = { ...before }
  for (const part of text.split(',')) {
    const match = /^([a-z][a-z0-9-]{0,19})=([0-9]{1,3})$/u.exec(part)
    if (!match) throw cliErrors.option_expected({ option: '--instances', expected: 'web=4,worker=2' })
    counts[match[1] ?? ''] = Number(match[2])
  }
  return counts
}

/** What the option says goes before what a file says. */
function withCapacity(
  plan: PlanInput | undefined,
  capacity: Plan['capacity'] | undefined,
): PlanInput | undefined {
  return capacity === undefined ? plan : { ...(plan ?? { batches: [{ percent: 100 }] }), capacity }
}

/** The Plan as it is sent; the server checks it in full. */
async function planOf(deps: Deps, options: Pick<Options, 'plan' | 'steps'>): Promise<PlanInput | undefined> {
  if (options.plan !== undefined && options.steps !== undefined)
    throw cliErrors.options_conflict({ options: '--plan, --steps' })
  if (options.steps !== undefined) return { batches: parseSteps(options.steps) }
  if (options.plan === undefined) return undefined
  const fields = await readYamlFields(deps, options.plan, 'batches:')
  // What the file holds is checked where it is used: the server refuses it by the name of the field.
  return fields as unknown as PlanInput
}

type PlanInput = Partial<Omit<Plan, 'batches'>> & { readonly batches: Partial<Plan['batches'][number]>[] }
