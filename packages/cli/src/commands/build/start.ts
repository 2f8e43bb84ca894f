import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { applicationIdOf, environmentIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { followBuild, followTimeout } from './following.ts'
import { buildView } from './view.ts'

export function buildStart(deps: Deps, run = runBuildStart) {
  return commandOf(deps, 'build.start', [
    'build start shop/api',
    'build start shop/api --ref release/2 --detach',
    'build start shop/api --ref 1a2b3c4d',
  ])
    .argument('<application>', deps.text('argument.application'))
    .option('--ref <ref>', deps.text('option.ref'))
    .option('--environment <environment>', deps.text('build.start.environment'))
    .option('--detach', deps.text('option.detach'))
    .addOption(followTimeout(deps))
    .addOption(dryRunOption(deps))
    .action((given, options) => deps.exit(run(deps, given, options)))
}

type Options = {
  readonly ref?: string | undefined
  readonly environment?: string | undefined
  readonly detach?: boolean | undefined
  readonly timeout: number
  readonly dryRun?: boolean | undefined
}

export async function runBuildStart(deps: Deps, given: string, options: Options): Promise<ExitCode> {
  const application = await applicationIdOf(deps, given)
  const environment =
    options.environment === undefined ? undefined : await environmentIdOf(deps, options.environment)
  const build = await deps
    .api()
    .startBuild({ application, ref: options.ref, environment }, mutationOptions(deps.signal, options))
  if (options.dryRun === true || options.detach === true) {
    noteDryRun(deps, options)
    await deps.print(build, buildView)
    return Exit.ok
  }
  const write = (line: string): void => deps.io.note(line)
  const followed = await followBuild(deps, build, { timeout: options.timeout, write })
  await deps.print(followed.build, buildView)
  return followed.exit
}
