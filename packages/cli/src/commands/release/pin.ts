import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { releaseIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { releaseView } from './view.ts'

export function releasePin(deps: Deps, run = runReleasePin) {
  return commandOf(deps, 'release.pin', [
    'release pin shop/api/production#12',
    'release pin shop/api/production#12 --off',
  ])
    .argument('<release>', deps.text('argument.release'))
    .option('--off', deps.text('release.pin.off'))
    .addOption(dryRunOption(deps))
    .action((release, options) => deps.exit(run(deps, release, options)))
}

type Options = { readonly off?: boolean | undefined; readonly dryRun?: boolean | undefined }

export async function runReleasePin(deps: Deps, given: string, options: Options): Promise<ExitCode> {
  const release = await releaseIdOf(deps, given)
  const call = mutationOptions(deps.signal, options)
  const updated = await deps.api().pinRelease({ release, pinned: options.off !== true }, call)
  noteDryRun(deps, options)
  await deps.print(updated, releaseView)
  return Exit.ok
}
