import type { Cluster, Node } from '@slipway/contract'

import { timeCell, type View } from '../../output/table.ts'

const GIB = 1024 ** 3

export const clusterView: View<Cluster> = {
  columns: [
    { title: 'column.slug', value: ({ slug }) => slug },
    { title: 'column.displayName', value: ({ name }) => name, wide: true },
    { title: 'column.health', value: ({ health }) => health.state },
    { title: 'column.version', value: ({ version }) => version },
    { title: 'column.isDefault', value: ({ isDefault }) => isDefault },
    { title: 'column.server', value: ({ server }) => server },
    {
      title: 'column.nodes',
      value: ({ capacity }) => capacity && `${capacity.nodesReady}/${capacity.nodes}`,
    },
    { title: 'column.cpu', value: ({ capacity }) => capacity?.cpuCores, wide: true },
    {
      title: 'column.memory',
      value: ({ capacity }) => capacity && `${(capacity.memoryBytes / GIB).toFixed(1)} GiB`,
      wide: true,
    },
    { title: 'column.warnings', value: ({ warnings }) => warnings.join(', ') },
    { title: 'column.credentials', value: ({ credentials }) => credentials.kind, wide: true },
    {
      title: 'column.credentialsExpire',
      value: ({ credentials }) => credentials.expiresAt && timeCell(credentials.expiresAt),
      wide: true,
    },
    {
      title: 'column.certificateExpires',
      value: ({ certificateExpiresAt }) => certificateExpiresAt && timeCell(certificateExpiresAt),
      wide: true,
    },
    { title: 'column.clockSkew', value: ({ clockSkewSeconds }) => clockSkewSeconds, wide: true },
    { title: 'column.gateway', value: ({ gatewayUrl }) => gatewayUrl, wide: true },
    { title: 'column.message', value: ({ health }) => health.message, wide: true },
    { title: 'column.id', value: ({ id }) => id, wide: true },
    { title: 'column.created', value: ({ createdAt }) => timeCell(createdAt), wide: true },
  ],
  name: ({ slug }) => slug,
}

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
