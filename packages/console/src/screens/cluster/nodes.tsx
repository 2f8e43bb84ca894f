import type { Cluster, Node } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'

import { useRows } from '../../data/queries.ts'
import { NodeStatus } from '../../objects/node.tsx'
import { useFormat, type Format } from '../../preferences/format.ts'
import { useText, type Text } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo } from '../../routes/use.ts'
import { Go } from '../../ui/go.tsx'
import { Grid, type Column } from '../../ui/grid/grid.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { Empty } from '../../ui/page.tsx'

const EVERY_MS = 5 * SECOND_MS

/** The nodes of a Cluster; each leads to what runs there. */
export function Nodes({ cluster }: { readonly cluster: Cluster }) {
  const { text } = useText()
  const format = useFormat()
  const go = useGo()
  const nodes = useRows('listNodes', { cluster: cluster.id, limit: 200 }, { everyMs: EVERY_MS })
  const instancesOf = (node: string): string => pathTo('clusterInstances', { cluster: cluster.id }, { node })
  const pathOf = (node: string): string => pathTo('node', { cluster: cluster.id, node })
  return (
    <Loaded of={{ ...nodes, data: nodes.rows }}>
      {(rows) => (
        <Grid
          label={text('cluster.nodes')}
          of={{ ...nodes, rows }}
          keyOf={({ name }) => name}
          open={({ name }) => go(pathOf(name))}
          columns={columnsOf(text, format, { pathOf, instancesOf })}
          empty={<Empty command={`cluster nodes ${cluster.slug}`}>{text('cluster.nodesNone')}</Empty>}
        />
      )}
    </Loaded>
  )
}

type Paths = {
  readonly pathOf: (node: string) => string
  readonly instancesOf: (node: string) => string
}

function columnsOf(text: Text, format: Format, { pathOf, instancesOf }: Paths): readonly Column<Node>[] {
  return [
    {
      id: 'name',
      title: text('cluster.node'),
      width: 'minmax(140px, 1.5fr)',
      cell: ({ name }) => <Go to={pathOf(name)}>{name}</Go>,
    },
    {
      id: 'state',
      title: text('common.state'),
      width: 'minmax(120px, 1fr)',
      cell: (node) => <NodeStatus node={node} />,
    },
    {
      id: 'instances',
      title: text('cluster.instances'),
      width: '90px',
      isNumber: true,
      cell: ({ name, instances }) => (
        <Go to={instancesOf(name)} label={`${format.number(instances)} ${text('cluster.instances')} ${name}`}>
          {format.number(instances)}
        </Go>
      ),
    },
    {
      id: 'cpu',
      title: text('instance.cpu'),
      width: '80px',
      isNumber: true,
      cell: ({ cpuCores }) => format.cores(cpuCores),
    },
    {
      id: 'memory',
      title: text('instance.memory'),
      width: '100px',
      isNumber: true,
      cell: ({ memoryBytes }) => format.bytes(memoryBytes),
    },
    {
      id: 'addresses',
      title: text('cluster.addresses'),
      width: 'minmax(120px, 1fr)',
      cell: ({ addresses }) => <code title={addresses.join(' ')}>{addresses.join(' ')}</code>,
    },
    {
      id: 'kubelet',
      title: text('cluster.kubelet'),
      width: 'minmax(110px, 1fr)',
      cell: ({ kubeletVersion }) => <code title={kubeletVersion}>{kubeletVersion}</code>,
    },
    {
      id: 'labels',
      title: text('cluster.labels'),
      width: 'minmax(120px, 2fr)',
      cell: ({ labels }) => {
        const said = Object.entries(labels)
          .map(([name, value]) => `${name}=${value}`)
          .join(' ')
        return <code title={said}>{said}</code>
      },
    },
  ]
}
