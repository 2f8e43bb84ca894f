import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { noteDryRun } from '../../rows.ts'
import { releaseView } from '../release/view.ts'
import { answerGate } from './waiting.ts'

export function gateApprove(deps: Deps, run = runGateApprove) {
  return commandOf(deps, 'gate.approve', ['gate approve shop/api/production --comment "seen it"'])
    .argument('<release>', deps.text('argument.release'))
    .option('--comment <text>', deps.text('option.comment'))
    .addOption(dryRunOption(deps))
    .action((release, options) => deps.exit(run(deps, release, options)))
}

type Options = { readonly comment?: string | undefined; readonly dryRun?: boolean | undefined }

export async function runGateApprove(deps: Deps, given: string, options: Options): Promise<ExitCode> {
  const { comment, dryRun } = options
  const release = await answerGate(deps, given, { approve: true, comment, dryRun })
  noteDryRun(deps, options)
  await deps.print(release, releaseView)
  return Exit.ok
}
