import type { NodeTenant } from '@slipway/contract'

import { useFormat, type Format } from '../preferences/format.ts'
import { useText, type Text } from '../preferences/text.ts'
import { pathTo } from '../routes/path.ts'
import { Go } from '../ui/go.tsx'
import { Grid, type Column } from '../ui/grid/grid.tsx'
import { Empty } from '../ui/page.tsx'
import { Status } from '../ui/status.tsx'
import { Time } from '../ui/time.tsx'
import { InstanceLink, InstanceStatus } from './instance.tsx'
import { nameOfInstance } from './instance-name.ts'

type Standing = { readonly ready: boolean; readonly schedulable: boolean }

/** Whether a node runs things, and takes new ones. */
export function NodeStatus({ node }: { readonly node: Standing }) {
  const { text } = useText()
  if (!node.ready) return <Status tone="bad">{text('cluster.node.lost')}</Status>
  if (!node.schedulable) return <Status tone="warn">{text('cluster.node.cordoned')}</Status>
  return <Status tone="good">{text('cluster.node.ready')}</Status>
}

type TenantsProps = {
  readonly label: string
  readonly tenants: readonly NodeTenant[]
  /** The Instance from whose page one looks. */
  readonly own?: string
  readonly command: string
}

/** Everything on a node, the greatest first: whose it is, what it asked for, what it takes. */
export function Tenants({ label, tenants, own, command }: TenantsProps) {
  const { text } = useText()
  const format = useFormat()
  return (
    <Grid<NodeTenant>
      label={label}
      of={{
        rows: tenants,
        total: tenants.length,
        hasNextPage: false,
        isFetchingNextPage: false,
        fetchNextPage: () => Promise.resolve(),
        question: label,
      }}
      keyOf={keyOf}
      columns={columnsOf(text, format, own)}
      empty={<Empty command={command}>{text('node.empty')}</Empty>}
    />
  )
}

function keyOf({ owner, createdAt }: NodeTenant): string {
  switch (owner.kind) {
    case 'workload':
      return owner.instanceId
    case 'build':
      return owner.buildId
    case 'hidden':
      return `hidden ${owner.number} ${createdAt}`
    case 'other':
      return `other ${owner.namespace ?? ''}/${owner.name ?? ''} ${createdAt}`
  }
}

function columnsOf(text: Text, format: Format, own: string | undefined): readonly Column<NodeTenant>[] {
  const amount = (value: number | undefined, shown: (value: number) => string): string =>
    value === undefined ? '–' : shown(value)
  return [
    {
      id: 'owner',
      title: text('node.owner'),
      width: 'minmax(190px, 3fr)',
      cell: ({ owner }) => <Owner owner={owner} own={own} />,
    },
    {
      id: 'state',
      title: text('common.state'),
      width: 'minmax(92px, 1fr)',
      cell: ({ state }) => <InstanceStatus state={state} />,
    },
    {
      id: 'cpu',
      title: text('node.cpuUsed'),
      width: '90px',
      isNumber: true,
      cell: ({ use }) => amount(use?.cpuCores, format.cores),
    },
    {
      id: 'cpu-asked',
      title: text('node.cpuAsked'),
      width: '100px',
      isNumber: true,
      cell: ({ requested }) => format.cores(requested.cpuCores),
    },
    {
      id: 'memory',
      title: text('node.memoryUsed'),
      width: '110px',
      isNumber: true,
      cell: ({ use }) => amount(use?.memoryBytes, format.bytes),
    },
    {
      id: 'memory-asked',
      title: text('node.memoryAsked'),
      width: '134px',
      isNumber: true,
      cell: ({ requested }) => format.bytes(requested.memoryBytes),
    },
    {
      id: 'since',
      title: text('common.created'),
      width: '110px',
      cell: ({ createdAt }) => <Time at={createdAt} />,
    },
  ]
}

type OwnerProps = { readonly owner: NodeTenant['owner']; readonly own: string | undefined }

function Owner({ owner, own }: OwnerProps) {
  const { text } = useText()
  switch (owner.kind) {
    case 'workload':
      return (
        <span className="row-actions">
          <Go to={pathTo('workload', { workload: owner.workload.id })}>{owner.workload.name}</Go>
          {owner.instanceId === own ? (
            <span className="badge">{text('node.own')}</span>
          ) : (
            <InstanceLink id={owner.instanceId} name={nameOfInstance(owner.instanceId)} />
          )}
        </span>
      )
    case 'build':
      return (
        <span className="row-actions">
          <code>{owner.project}</code>
          <Go to={pathTo('build', { build: owner.buildId })}>{text('node.build')}</Go>
        </span>
      )
    case 'hidden':
      return <span className="soft">{text('node.hidden', { number: owner.number })}</span>
    case 'other':
      return owner.name === null ? (
        <span className="soft">{text('node.other')}</span>
      ) : (
        <code title={text('node.other')}>{`${owner.namespace ?? ''}/${owner.name}`}</code>
      )
  }
}
