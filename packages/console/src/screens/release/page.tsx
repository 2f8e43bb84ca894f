import { useState } from 'react'

import type { Release, ReleaseEvent } from '@slipway/contract'

import { api } from '../../data/client.ts'
import { useEvents } from '../../data/events.ts'
import { cache, useAnswer } from '../../data/queries.ts'
import { ReleaseStatus } from '../../objects/release.tsx'
import { useWorkloadTrail } from '../../objects/workload.tsx'
import { useText } from '../../preferences/text.ts'
import { useRouteParams } from '../../routes/use.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { Page, Panel } from '../../ui/page.tsx'
import { Time } from '../../ui/time.tsx'
import { Actions } from './actions.tsx'
import { DiffPanel } from './diff-panel.tsx'
import { Journal } from './journal.tsx'
import { Reason } from './reason.tsx'
import { Timeline } from './timeline.tsx'
import { Versions } from './versions.tsx'

type Live = { readonly release: Release | undefined; readonly events: readonly ReleaseEvent[] }

/** One Release, live: its timeline, what it waits for, what it changes, everything that happened. */
export default function ReleasePage() {
  const { release: id } = useRouteParams<'release'>()
  const first = useAnswer('getRelease', { release: id })
  const live = useLive(id, first.data !== undefined)
  return (
    <Loaded of={first}>
      {(loaded) => (
        <ReleaseView release={live.release?.id === id ? live.release : loaded} events={live.events} />
      )}
    </Loaded>
  )
}

/** The Release and its journal, as the stream brings them; an entry that comes twice counts once. */
function useLive(id: string, isThere: boolean): Live {
  const [live, setLive] = useState<Live & { readonly id: string }>({ id, release: undefined, events: [] })
  const own = live.id === id ? live : { id, release: undefined, events: [] }
  useEvents(
    isThere ? id : undefined,
    (options) => api.followRelease({ release: id }, options),
    ({ name, data }) => {
      if (name === 'release') {
        // The stream's events are the contract's: `release` carries the whole object, `event` an entry of the journal.
        const release = data as Release
        setLive((before) => ({ id, release, events: before.id === id ? before.events : [] }))
        if (release.endedAt !== null) void cache.invalidateQueries()
      } else if (name === 'event') {
        const event = data as ReleaseEvent
        setLive((before) => {
          const events = before.id === id ? before.events : []
          if (events.some(({ sequence }) => sequence === event.sequence)) return before
          return { id, release: before.id === id ? before.release : undefined, events: [...events, event] }
        })
      }
    },
  )
  return own
}

function ReleaseView({
  release,
  events,
}: {
  readonly release: Release
  readonly events: readonly ReleaseEvent[]
}) {
  const { text } = useText()
  const workload = useAnswer('getWorkload', { workload: release.workloadId })
  const trail = useWorkloadTrail(workload.data)
  return (
    <Page
      title={text('release.one', { number: release.number })}
      trail={trail}
      beside={
        <>
          <ReleaseStatus state={release.state} paused={release.paused} />
          <span className="soft">
            {text('common.by', { name: release.createdBy })} · <Time at={release.createdAt} />
          </span>
        </>
      }
      command={`release follow ${release.id}`}
      actions={<Actions release={release} name={workload.data?.name ?? ''} />}
    >
      <Reason release={release} />
      <Panel title={text('release.timeline')} isFlush>
        <Timeline release={release} events={events} />
      </Panel>
      <Versions release={release} />
      <DiffPanel release={release} />
      <Panel title={text('release.journal')} isFlush>
        <Journal events={events} />
      </Panel>
    </Page>
  )
}
