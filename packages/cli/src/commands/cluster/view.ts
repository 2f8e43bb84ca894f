import type { Cluster, Node } from '@slipway/contract'

import { timeCell, type View } from '../../output/table.ts'

export const clusterView: View<Cluster> = {
  columns: [
    { title: 'column.slug', value: ({ slug }) => slug },
    { title: 'column.displayName', value: ({ name }) => name, wide: true },
    { title: 'column.health', value: ({ health }) => health.state },
    { title: 'column.version', value: ({ version }) => version },
    { title: 'column.isDefault', value: ({ isDefault }) => isDefault },
    { title: 'column.server', value: ({ server }) => server },
    { title: 'column.gateway', value: ({ gatewayUrl }) => gatewayUrl, wide: true },
    { title: 'column.message', value: ({ health }) => health.message, wide: true },
    { title: 'column.id', value: ({ id }) => id, wide: true },
    { title: 'column.created', value: ({ createdAt }) => timeCell(createdAt), wide: true },
  ],
  name: ({ slug }) => slug,
}

const GIB = 1024 ** 3

export const nodeView: View<Node> = {
  columns: [
    { title: 'column.name', value: ({ name }) => name },
    { title: 'column.ready', value: ({ ready }) => ready },
    { title: 'column.schedulable', value: ({ schedulable }) => schedulable },
    { title: 'column.cpu', value: ({ cpuCores }) => cpuCores },
    { title: 'column.memory', value: ({ memoryBytes }) => `${(memoryBytes / GIB).toFixed(1)} GiB` },
    { title: 'column.instances', value: ({ instances }) => instances },
    { title: 'column.version', value: ({ kubeletVersion }) => kubeletVersion, wide: true },
    { title: 'column.address', value: ({ addresses }) => addresses.join(', '), wide: true },
  ],
  name: ({ name }) => name,
}
