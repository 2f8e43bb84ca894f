import { releaseText } from '@slipway/messages'

import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { releaseIdOf } from '../../names.ts'
import { releaseView } from './view.ts'

export function releaseShow(deps: Deps, run = runReleaseShow) {
  return commandOf(deps, 'release.show', ['release show shop/api/production', 'release show rel_…'])
    .argument('<release>', deps.text('argument.release'))
    .action((release) => deps.exit(run(deps, release)))
}

export async function runReleaseShow(deps: Deps, given: string): Promise<ExitCode> {
  const release = await releaseIdOf(deps, given)
  await deps.print(await deps.api().getRelease({ release }, { signal: deps.signal }), {
    ...releaseView,
    columns: [
      ...releaseView.columns,
      {
        title: 'column.why',
        value: ({ reason }) => reason && releaseText(deps.language, reason.code, reason.params),
      },
    ],
  })
  return Exit.ok
}
