import { PlusOutlined } from '@ant-design/icons'

import type { Cluster } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'

import { useRows } from '../../data/queries.ts'
import { ClusterStatus } from '../../objects/cluster.tsx'
import { Act } from '../../objects/may.tsx'
import { useText, type Text } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo } from '../../routes/use.ts'
import { Go } from '../../ui/go.tsx'
import { Grid, type Column } from '../../ui/grid/grid.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty, Page, Panel } from '../../ui/page.tsx'
import { Status } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'

const EVERY_MS = 4 * SECOND_MS

/** Every Cluster, and whether it answers. */
export default function ClustersPage() {
  const { text } = useText()
  const go = useGo()
  const clusters = useRows('listClusters', { limit: 100 }, { everyMs: EVERY_MS })
  return (
    <Page
      title={text('cluster.list')}
      command="cluster list"
      actions={
        <Act
          does="createCluster"
          type="primary"
          icon={<Icon of={PlusOutlined} />}
          onClick={() => go(pathTo('newCluster'))}
        >
          {text('cluster.new')}
        </Act>
      }
    >
      <Panel title={text('cluster.list')} isFlush>
        <Loaded of={{ ...clusters, data: clusters.rows }}>
          {(rows) => (
            <Grid
              label={text('cluster.list')}
              of={{ ...clusters, rows }}
              keyOf={({ id }) => id}
              open={({ id }) => go(pathTo('cluster', { cluster: id }))}
              columns={columnsOf(text)}
              empty={
                <Empty command="cluster register <slug> --kubeconfig <file>">{text('cluster.empty')}</Empty>
              }
            />
          )}
        </Loaded>
      </Panel>
    </Page>
  )
}

function columnsOf(text: Text): readonly Column<Cluster>[] {
  return [
    {
      id: 'name',
      title: text('common.name'),
      width: 'minmax(140px, 1.4fr)',
      cell: ({ id, name }) => <Go to={pathTo('cluster', { cluster: id })}>{name}</Go>,
    },
    {
      id: 'state',
      title: text('common.state'),
      width: 'minmax(120px, 1fr)',
      cell: ({ health }) => <ClusterStatus health={health} />,
    },
    {
      id: 'since',
      title: text('common.since'),
      width: '110px',
      cell: ({ health }) => <Time at={health.since} />,
    },
    {
      id: 'default',
      title: text('cluster.default'),
      width: '80px',
      cell: ({ isDefault }) => isDefault && <span className="badge">{text('cluster.default')}</span>,
    },
    {
      id: 'version',
      title: text('cluster.version'),
      width: '130px',
      cell: ({ version }) => <code>{version ?? '–'}</code>,
    },
    {
      id: 'nodes',
      title: text('cluster.nodes'),
      width: '80px',
      isNumber: true,
      cell: ({ capacity }) => (capacity === null ? '–' : `${capacity.nodesReady}/${capacity.nodes}`),
    },
    {
      id: 'trouble',
      title: text('cluster.warnings'),
      width: 'minmax(200px, 3fr)',
      cell: (cluster) => <Trouble cluster={cluster} />,
    },
    {
      id: 'server',
      title: text('cluster.server'),
      width: 'minmax(140px, 1.4fr)',
      cell: ({ server, credentials }) =>
        credentials.kind === 'agent' ? (
          <span className="soft">{text('cluster.agentShort')}</span>
        ) : (
          <code title={server}>{server}</code>
        ),
    },
  ]
}

/** Why a Cluster does not answer, else what should be known about it. */
function Trouble({ cluster: { health, warnings } }: { readonly cluster: Cluster }) {
  const { text } = useText()
  if (health.message !== '')
    return (
      <span lang="en" title={health.message}>
        {health.message}
      </span>
    )
  const said = warnings.map((warning) => text(`cluster.warning.${warning}`)).join(' · ')
  return said === '' ? null : (
    <span title={said}>
      <Status tone="warn">{said}</Status>
    </span>
  )
}
