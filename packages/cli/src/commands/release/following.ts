import type { Release, ReleaseEvent } from '@slipway/contract'
import { releaseText } from '@slipway/messages'
import { itemsOf } from '@slipway/sdk'

import { timeoutOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import type { ExitCode } from '../../exit.ts'
import { follow, tellConnection, type FollowOptions } from '../../follow.ts'
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
  const journal = journalOf(deps)
  const { exit, state } = await follow(
    deps,
    first,
    {
      states: (signal) => statesOf(deps, first.id, journal, signal),
      async read(signal) {
        const release = await deps.api().getRelease({ release: first.id }, { signal })
        const pages = deps.api().pages.listReleaseEvents({ release: first.id, limit: 200 }, { signal })
        for await (const event of itemsOf(pages)) journal.tell(event)
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

/** The states as the platform sends them; says the journal's entries that come along. */
async function* statesOf(
  deps: Deps,
  release: string,
  journal: Journal,
  signal: AbortSignal,
): AsyncGenerator<Release, void, undefined> {
  const onConnection = tellConnection(deps)
  const lastEventId = journal.last() === 0 ? undefined : String(journal.last())
  for await (const event of deps.api().followRelease({ release }, { signal, lastEventId, onConnection })) {
    // The contract says what each event carries.
    if (event.name === 'event') journal.tell(event.data as ReleaseEvent)
    else if (event.name === 'release') yield event.data as Release
  }
}

type Journal = { readonly tell: (event: ReleaseEvent) => void; readonly last: () => number }

/** Says each entry of the journal once. */
function journalOf({ io, language }: Deps): Journal {
  let last = 0
  return {
    last: () => last,
    tell(event) {
      if (event.sequence <= last) return
      last = event.sequence
      const actor = event.actor === '' || event.actor === 'system' ? '' : ` (${event.actor})`
      io.note(`  ${event.at.slice(11, 19)} ${releaseText(language, event.code, event.params)}${actor}`)
    },
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
