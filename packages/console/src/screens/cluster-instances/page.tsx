import { Select } from 'antd'

import type { InstanceState, VisibleInstance } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'
import { instanceText } from '@slipway/messages'

import { useAllRows, useRows } from '../../data/queries.ts'
import { ClusterPage } from '../../objects/cluster.tsx'
import { InstanceLink, InstanceStatus } from '../../objects/instance.tsx'
import { useFormat } from '../../preferences/format.ts'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo, useRouteParams, useRouteSearch } from '../../routes/use.ts'
import { Filter } from '../../ui/filter.tsx'
import { Go } from '../../ui/go.tsx'
import { Grid, type Column } from '../../ui/grid/grid.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty, Panel } from '../../ui/page.tsx'
import { Shape } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'

const STATES: readonly InstanceState[] = [
  'Failing',
  'Running',
  'Starting',
  'Pending',
  'Ready',
  'Ending',
  'Ended',
]
const SORTS = ['name', 'state', 'restarts', 'since'] as const
const EVERY_MS = 5 * SECOND_MS
const PAGE_ROWS = 200

/** The Instances that run on a Cluster, by node if one is chosen. */
export default function ClusterInstancesPage() {
  const { text, language } = useText()
  const go = useGo()
  const { cluster: id } = useRouteParams<'clusterInstances'>()
  const [search, setSearch] = useRouteSearch()
  const state = STATES.find((one) => one === search['state'])
  const sort = SORTS.find((one) => one === search['sort']) ?? 'name'
  const node = search['node'] ?? ''
  const nodes = useAllRows('listNodes', { cluster: id, limit: 200 })
  const instances = useRows(
    'searchInstances',
    {
      cluster: id,
      limit: PAGE_ROWS,
      sort,
      ...(state ? { state } : {}),
      ...(node === '' ? {} : { node: node.slice(0, 253) }),
      ...(search['text'] ? { text: search['text'].slice(0, 100) } : {}),
    },
    { everyMs: EVERY_MS },
  )
  const columns = useColumns()
  const names = new Set([...(nodes.rows ?? []).map(({ name }) => name), ...(node === '' ? [] : [node])])
  const unseen = instances.data?.pages[0] as
    | { readonly unseen?: readonly { readonly slug: string }[] }
    | undefined
  return (
    <ClusterPage id={id} command={() => 'api searchInstances cluster=' + id}>
      {() => (
        <>
          <div className="toolbar">
            <Filter
              label={text('cluster.instancesFilter')}
              value={search['text'] ?? ''}
              change={(value) => setSearch({ text: value })}
            />
            <Select<string>
              allowClear
              showSearch
              aria-label={text('cluster.node')}
              placeholder={text('cluster.node')}
              value={node === '' ? null : node}
              onChange={(value: string | undefined) => setSearch({ node: value })}
              options={[...names].map((value) => ({ value, label: value }))}
              popupMatchSelectWidth={false}
              className="select"
            />
            <Select<InstanceState>
              allowClear
              aria-label={text('common.state')}
              placeholder={text('common.state')}
              value={state ?? null}
              onChange={(value: InstanceState | undefined) => setSearch({ state: value })}
              options={STATES.map((value) => ({ value, label: instanceText(language, value, {}) }))}
              popupMatchSelectWidth={false}
              className="select"
            />
            <Select<(typeof SORTS)[number]>
              aria-label={text('cluster.sort')}
              value={sort}
              onChange={(value) => setSearch({ sort: value === 'name' ? undefined : value })}
              options={SORTS.map((value) => ({ value, label: text(`cluster.sort.${value}`) }))}
              popupMatchSelectWidth={false}
            />
          </div>
          {(unseen?.unseen?.length ?? 0) > 0 && (
            <p role="status">
              <Shape tone="warn" />{' '}
              {text('cluster.unseen', { names: unseen?.unseen?.map(({ slug }) => slug).join(', ') ?? '' })}
            </p>
          )}
          <Panel title={text('cluster.instances')} isFlush>
            <Loaded of={{ ...instances, data: instances.rows }}>
              {(rows) => (
                <Grid
                  label={text('cluster.instances')}
                  of={{ ...instances, rows }}
                  keyOf={(one) => one.id}
                  open={(one) => go(pathTo('instance', { instance: one.id }))}
                  columns={columns}
                  empty={<Empty>{text('cluster.instancesNone')}</Empty>}
                />
              )}
            </Loaded>
          </Panel>
        </>
      )}
    </ClusterPage>
  )
}

function useColumns(): readonly Column<VisibleInstance>[] {
  const { text, language } = useText()
  const format = useFormat()
  return [
    {
      id: 'workload',
      title: text('cluster.workload'),
      width: 'minmax(180px, 2fr)',
      cell: ({ workload }) => <Go to={pathTo('workload', { workload: workload.id })}>{workload.name}</Go>,
    },
    {
      id: 'name',
      title: text('instance.name'),
      width: 'minmax(110px, 1fr)',
      cell: ({ id, name }) => <InstanceLink id={id} name={name} />,
    },
    {
      id: 'state',
      title: text('common.state'),
      width: 'minmax(110px, 1fr)',
      cell: ({ state }) => <InstanceStatus state={state} />,
    },
    {
      id: 'restarts',
      title: text('instance.restarts'),
      width: '90px',
      isNumber: true,
      cell: ({ restarts }) => format.number(restarts),
    },
    {
      id: 'memory',
      title: text('instance.memory'),
      width: '100px',
      isNumber: true,
      cell: ({ resources }) => (resources.memoryBytes === null ? '–' : format.bytes(resources.memoryBytes)),
    },
    { id: 'node', title: text('cluster.node'), width: 'minmax(100px, 1fr)', cell: ({ node }) => node ?? '–' },
    { id: 'since', title: text('common.since'), width: '110px', cell: ({ since }) => <Time at={since} /> },
    {
      id: 'why',
      title: text('instance.why'),
      width: 'minmax(120px, 2fr)',
      cell: ({ why }) => {
        const said = why ? instanceText(language, why.code, why.params) : ''
        return <span title={said}>{said}</span>
      },
    },
  ]
}
