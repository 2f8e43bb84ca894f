import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { momentOf } from '../../moment.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { grantView } from './view.ts'

export type DecideOptions = {
  readonly comment?: string | undefined
  readonly until?: string | undefined
  readonly dryRun?: boolean | undefined
}

export async function decide(
  deps: Deps,
  about: { readonly grant: string; readonly granted: boolean },
  options: DecideOptions,
): Promise<ExitCode> {
  const call = mutationOptions(deps.signal, options)
  const until =
    options.until === undefined
      ? undefined
      : momentOf(deps, { option: '--until', text: options.until, ahead: true })
  const decided = await deps.api().decideLocationGrant({ ...about, until, comment: options.comment }, call)
  noteDryRun(deps, options)
  await deps.print(decided, grantView)
  return Exit.ok
}
