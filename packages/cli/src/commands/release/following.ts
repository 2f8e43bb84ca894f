import type { Release } from '@slipway/contract'
import { releaseText } from '@slipway/messages'
import { itemsOf } from '@slipway/sdk'

import { timeoutOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import type { ExitCode } from '../../exit.ts'
import { follow, type FollowOptions } from '../../follow.ts'
import { releaseView } from './view.ts'

const FOLLOW_SECONDS = 3_600

export type { FollowOptions }

/** `--timeout` of everything that follows a Release. */
export function followTimeout(deps: Deps) {
  return timeoutOption(deps, { seconds: FOLLOW_SECONDS })
}

/**
 * Follows a Release to its end: its journal line by line, where it stands on one line, and who is waited for.
 * @param wanted - the state that counts as success; every other end is a failure
 */
export async function followRelease(
  deps: Deps,
  first: Release,
  options: FollowOptions & { readonly wanted?: Release['state'] },
): Promise<ExitCode> {
  const tell = journalOf(deps, first.id)
  const { exit, state } = await follow(
    deps,
    first,
    {
      async read(signal) {
        const release = await deps.api().getRelease({ release: first.id }, { signal })
        await tell(signal)
        return release
      },
      outcome: (release) =>
        release.endedAt === null
          ? undefined
          : release.state === (options.wanted ?? 'Done')
            ? 'succeeded'
            : 'failed',
      line: (release) => lineOf(deps, release),
      again: `release follow ${first.id}`,
    },
    options,
  )
  await deps.print(state, releaseView)
  return exit
}

/** Says each entry of the journal once. */
function journalOf(deps: Deps, release: string): (signal: AbortSignal) => Promise<void> {
  let last = 0
  return async (signal) => {
    const pages = deps.api().pages.listReleaseEvents({ release, limit: 200 }, { signal })
    for await (const event of itemsOf(pages)) {
      if (event.sequence <= last) continue
      last = event.sequence
      const actor = event.actor === '' || event.actor === 'system' ? '' : ` (${event.actor})`
      deps.io.note(
        `  ${event.at.slice(11, 19)} ${releaseText(deps.language, event.code, event.params)}${actor}`,
      )
    }
  }
}

/** Where a Release stands, in one line. */
function lineOf(deps: Deps, release: Release): string {
  const { counts, number, batch, plan, weight } = release
  const line = deps.text('release.line', {
    number,
    state: releaseText(deps.language, release.state, {}),
    batch: Math.min(batch + 1, plan.batches.length),
    batches: plan.batches.length,
    newReady: counts.newReady,
    newWanted: counts.newWanted,
    oldReady: counts.oldReady,
    oldWanted: counts.oldWanted,
    weight,
  })
  const command = `slipway gate approve ${release.id}`
  if (release.state === 'WaitPerson') return `${line}; ${deps.text('release.waits', { command })}`
  if (release.paused) return `${line}; ${deps.text('release.paused')}`
  return line
}
