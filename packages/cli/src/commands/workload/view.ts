import type { ConfigRevision, Workload } from '@slipway/contract'

import { timeCell, type View } from '../../output/table.ts'

export const workloadView: View<Workload> = {
  columns: [
    { title: 'column.name', value: ({ name }) => name },
    {
      title: 'column.instances',
      value: ({ instances }) =>
        Object.entries(instances)
          .map(([process, count]) => `${process}=${count}`)
          .join(' '),
    },
    { title: 'column.url', value: ({ urls }) => urls.at(0) },
    { title: 'column.allUrls', value: ({ urls }) => urls.slice(1).join(' '), wide: true },
    { title: 'column.configRevision', value: ({ configRevision }) => configRevision },
    { title: 'column.keep', value: ({ keepSeconds }) => `${keepSeconds}s`, wide: true },
    { title: 'column.pool', value: ({ pool }) => pool, wide: true },
    { title: 'column.cluster', value: ({ clusterId }) => clusterId, wide: true },
    { title: 'column.namespace', value: ({ namespace }) => namespace, wide: true },
    { title: 'column.id', value: ({ id }) => id, wide: true },
    { title: 'column.created', value: ({ createdAt }) => timeCell(createdAt), wide: true },
  ],
  name: ({ name }) => name,
}

export const revisionView: View<ConfigRevision> = {
  columns: [
    { title: 'column.revision', value: ({ revision }) => revision },
    { title: 'column.variables', value: ({ variables }) => variables.length },
    { title: 'column.comment', value: ({ comment }) => comment },
    { title: 'column.by', value: ({ createdBy }) => createdBy, wide: true },
    { title: 'column.created', value: ({ createdAt }) => timeCell(createdAt) },
  ],
  name: ({ revision }) => String(revision),
}

export const variableView: View<ConfigRevision['variables'][number]> = {
  columns: [
    { title: 'column.name', value: ({ name }) => name },
    { title: 'column.value', value: ({ value, secret }) => (secret ? '••••••' : value) },
  ],
  name: ({ name }) => name,
}
