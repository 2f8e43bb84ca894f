import { DAY_MS, MINUTE_MS, SECOND_MS } from '@slipway/kit'
import { Button } from 'antd'

import { useAnswer } from '../../data/queries.ts'
import { useLack } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo } from '../../routes/use.ts'
import { Go } from '../../ui/go.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty, Page, Panel } from '../../ui/page.tsx'
import { useNow } from '../../ui/time.tsx'
import { HealthCounts } from './health-counts.tsx'
import { ClusterList, GateList, GrantList, ReleaseList, WorkloadList } from './lists.tsx'

const EVERY_MS = 5 * SECOND_MS
const SHOWN = 8

/** What waits for me, what went wrong, what runs, what happened last. */
export default function HomePage() {
  const { text } = useText()
  const states = useAnswer('searchWorkloads', { sort: 'health', limit: SHOWN }, { everyMs: EVERY_MS })
  return (
    <Page title={text('home.title')} command="release list">
      <Loaded of={states}>
        {(found) =>
          found.total === 0 ? (
            <FirstApplication />
          ) : (
            <>
              <HealthCounts counts={found.counts} />
              <div className="columns">
                <Waiting />
                <Wrong />
                <Panel
                  title={text('home.running')}
                  isFlush
                  actions={<Go to={pathTo('workloads')}>{text('common.all')}</Go>}
                >
                  <WorkloadList rows={found.items} />
                </Panel>
                <Recent />
              </div>
            </>
          )
        }
      </Loaded>
    </Page>
  )
}

function FirstApplication() {
  const { text } = useText()
  const go = useGo()
  return (
    <Panel title={text('home.empty.title')}>
      <Empty
        command="application create <project>/<application>"
        action={
          <Button type="primary" onClick={() => go(pathTo('newApplication'))}>
            {text('home.empty.action')}
          </Button>
        }
      >
        {text('home.empty.text')}
      </Empty>
    </Panel>
  )
}

function Waiting() {
  const { text } = useText()
  const gates = useAnswer('listGates', { for: 'anyone', limit: SHOWN }, { everyMs: EVERY_MS })
  const isDecider = useLack('decideLocationGrant') === undefined
  const asked = useAnswer(
    'listLocationGrants',
    { state: 'Requested', limit: SHOWN },
    { everyMs: EVERY_MS, quiet: true, enabled: isDecider },
  )
  const requests = isDecider ? (asked.data?.items ?? []) : []
  return (
    <Panel
      title={text('home.waiting')}
      isFlush
      beside={<Count of={gates.data?.total === undefined ? undefined : gates.data.total + requests.length} />}
    >
      <Loaded of={gates}>
        {({ items }) =>
          items.length + requests.length === 0 ? (
            <Empty command="gate list">{text('home.waitingNone')}</Empty>
          ) : (
            <>
              <GateList rows={items} />
              <GrantList rows={requests} />
            </>
          )
        }
      </Loaded>
    </Panel>
  )
}

function Wrong() {
  const { text } = useText()
  // Whole minutes, so that the same question is asked for a while.
  const minute = Math.floor(useNow().getTime() / MINUTE_MS) * MINUTE_MS
  const since = new Date(minute - DAY_MS).toISOString()
  const releases = useAnswer('searchReleases', { group: 'wrong', since, limit: SHOWN }, { everyMs: EVERY_MS })
  // Not everybody may see Clusters; then there are none here.
  const clusters = useAnswer('listClusters', { limit: 200 }, { everyMs: EVERY_MS, quiet: true })
  const silent = clusters.data?.items.filter(({ health }) => health.state === 'unknown') ?? []
  return (
    <Panel title={text('home.wrong')} isFlush beside={<Count of={releases.data?.total} />}>
      <Loaded of={releases}>
        {({ items }) =>
          items.length + silent.length === 0 ? (
            <Empty>{text('home.wrongNone')}</Empty>
          ) : (
            <>
              <ClusterList rows={silent} />
              <ReleaseList rows={items} />
            </>
          )
        }
      </Loaded>
    </Panel>
  )
}

function Recent() {
  const { text } = useText()
  const releases = useAnswer('searchReleases', { limit: SHOWN }, { everyMs: EVERY_MS })
  return (
    <Panel title={text('home.recent')} isFlush>
      <Loaded of={releases}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty command="release start <project>/<application>/<environment> --image <image>">
              {text('home.recentNone')}
            </Empty>
          ) : (
            <ReleaseList rows={items} />
          )
        }
      </Loaded>
    </Panel>
  )
}

function Count({ of }: { readonly of: number | undefined }) {
  return of === undefined || of === 0 ? null : <span className="count">{of}</span>
}
