import { Select } from 'antd'

import type { WorkloadHealth, WorkloadState } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'

import { useRows } from '../../data/queries.ts'
import { BulkBar, useSelectColumn, useSelection } from '../../objects/bulk/selection.tsx'
import { ReleaseLink, ReleaseStatus } from '../../objects/release.tsx'
import { HealthStatus } from '../../objects/workload.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo, useRouteSearch } from '../../routes/use.ts'
import { Filter } from '../../ui/filter.tsx'
import { Go } from '../../ui/go.tsx'
import { Grid, type Column } from '../../ui/grid/grid.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty, Page, Panel } from '../../ui/page.tsx'
import { Time } from '../../ui/time.tsx'
import { BulkActions } from './bulk-actions.tsx'

const HEALTHS: readonly WorkloadHealth[] = ['Down', 'Degraded', 'Unknown', 'Healthy', 'Stopped', 'Unreleased']
const EVERY_MS = 5 * SECOND_MS
const PAGE_ROWS = 100

/** Everything that runs, in one list; filters stand in the address. */
export default function WorkloadsPage() {
  const { text } = useText()
  const go = useGo()
  const [search, setSearch] = useRouteSearch()
  const health = HEALTHS.find((one) => one === search['health'])
  const workloads = useRows(
    'searchWorkloads',
    {
      limit: PAGE_ROWS,
      ...(search['text'] ? { text: search['text'] } : {}),
      ...(health ? { health } : {}),
      ...(/^env_[0-9a-z]{26}$/u.test(search['environment'] ?? '')
        ? { environment: search['environment'] }
        : {}),
    },
    { everyMs: EVERY_MS },
  )
  const selection = useSelection<WorkloadState>(({ workload }) => workload.id)
  const selectColumn = useSelectColumn(selection, ({ workload }) => workload.name)
  return (
    <Page title={text('workload.list')} command="workload list">
      <div className="toolbar">
        <Filter
          label={text('workload.filter')}
          value={search['text'] ?? ''}
          change={(value) => setSearch({ text: value })}
        />
        <Select
          allowClear
          aria-label={text('common.state')}
          placeholder={text('common.state')}
          value={health ?? null}
          onChange={(value: WorkloadHealth | undefined) => setSearch({ health: value })}
          options={HEALTHS.map((value) => ({ value, label: text(`workload.health.${value}`) }))}
          popupMatchSelectWidth={false}
          className="select"
        />
      </div>
      <Panel title={text('workload.list')} isFlush>
        <Loaded of={{ ...workloads, data: workloads.rows }}>
          {(rows) => (
            <>
              <BulkBar selection={selection} of={{ ...workloads, rows }}>
                <BulkActions selection={selection} />
              </BulkBar>
              <Grid
                label={text('workload.list')}
                columns={[selectColumn, ...columnsOf(text)]}
                of={{ ...workloads, rows }}
                keyOf={({ workload }) => workload.id}
                open={({ workload }) => go(pathTo('workload', { workload: workload.id }))}
                empty={
                  <Empty command="workload create <project>/<application>/<environment>">
                    {text('workload.empty')}
                  </Empty>
                }
              />
            </>
          )}
        </Loaded>
      </Panel>
    </Page>
  )
}

function columnsOf(text: ReturnType<typeof useText>['text']): readonly Column<WorkloadState>[] {
  return [
    {
      id: 'name',
      title: text('common.name'),
      width: 'minmax(220px, 3fr)',
      cell: ({ workload }) => <Go to={pathTo('workload', { workload: workload.id })}>{workload.name}</Go>,
    },
    {
      id: 'health',
      title: text('common.state'),
      width: 'minmax(110px, 1fr)',
      cell: ({ health }) => <HealthStatus health={health} />,
    },
    {
      id: 'instances',
      title: text('workload.instances'),
      width: '90px',
      isNumber: true,
      cell: ({ instances }) => text('workload.instancesShort', instances),
    },
    {
      id: 'serving',
      title: text('workload.serving'),
      width: 'minmax(110px, 1fr)',
      cell: ({ serving }) => serving && <ReleaseLink id={serving.id} number={serving.number} />,
    },
    {
      id: 'active',
      title: text('workload.underWay'),
      width: 'minmax(150px, 1.4fr)',
      cell: ({ active }) => active && <ReleaseStatus state={active.state} paused={active.paused} />,
    },
    {
      id: 'since',
      title: text('common.since'),
      width: '110px',
      cell: ({ since }) => since !== null && <Time at={since} />,
    },
    {
      id: 'trouble',
      title: text('workload.trouble'),
      width: 'minmax(120px, 2fr)',
      cell: ({ trouble }) => <span title={trouble}>{trouble}</span>,
    },
  ]
}
