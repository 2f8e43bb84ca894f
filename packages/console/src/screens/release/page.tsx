import { SECOND_MS } from '@slipway/kit'
import type { Release, ReleaseEvent } from '@slipway/contract'

import { useAllRows, useAnswer } from '../../data/queries.ts'
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

const EVERY_MS = 2 * SECOND_MS
const NO_EVENTS: readonly ReleaseEvent[] = []

/** One Release, live: its timeline, what it waits for, what it changes, everything that happened. */
export default function ReleasePage() {
  const { release: id } = useRouteParams<'release'>()
  const release = useAnswer('getRelease', { release: id }, { everyMs: EVERY_MS })
  const events = useAllRows('listReleaseEvents', { release: id, limit: 200 }, { everyMs: EVERY_MS })
  return (
    <Loaded of={release}>
      {(loaded) => <ReleaseView release={loaded} events={events.rows ?? NO_EVENTS} />}
    </Loaded>
  )
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
