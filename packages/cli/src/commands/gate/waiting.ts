import type { Release } from '@slipway/contract'

import type { Deps } from '../../deps.ts'
import { cliErrors } from '../../errors.ts'
import { releaseIdOf } from '../../names.ts'
import { mutationOptions } from '../../server.ts'

/** Answers the question a Release waits with. @throws {AppError} `nothing_waits` */
export async function answerGate(
  deps: Deps,
  given: string,
  answer: {
    readonly approve: boolean
    readonly comment: string | undefined
    readonly dryRun?: boolean | undefined
  },
): Promise<Release> {
  const id = await releaseIdOf(deps, given)
  const release = await deps.api().getRelease({ release: id }, { signal: deps.signal })
  if (release.state !== 'WaitPerson') throw cliErrors.nothing_waits({ name: given, state: release.state })
  return deps
    .api()
    .approveRelease(
      { release: id, approve: answer.approve, batch: release.batch, comment: answer.comment },
      mutationOptions(deps.signal, answer),
    )
}
