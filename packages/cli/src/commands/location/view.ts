import type { Location, LocationGrant } from '@slipway/contract'

import { timeCell, type View } from '../../output/table.ts'

export const locationView: View<Location> = {
  columns: [
    { title: 'column.slug', value: ({ slug }) => slug },
    { title: 'column.displayName', value: ({ name }) => name },
    { title: 'column.isDefault', value: ({ isDefault }) => isDefault },
    { title: 'column.restricted', value: ({ restricted }) => restricted },
    { title: 'column.clusters', value: ({ clusters }) => clusters.map(({ slug }) => slug).join(', ') },
    { title: 'column.id', value: ({ id }) => id, wide: true },
    { title: 'column.created', value: ({ createdAt }) => timeCell(createdAt), wide: true },
  ],
  name: ({ slug }) => slug,
}

export const grantView: View<LocationGrant> = {
  columns: [
    { title: 'column.id', value: ({ id }) => id },
    { title: 'column.location', value: ({ location }) => location.slug },
    { title: 'column.project', value: ({ project }) => project.slug },
    { title: 'column.state', value: ({ state }) => state },
    { title: 'column.until', value: ({ until }) => (until === null ? '' : timeCell(until)) },
    { title: 'column.requested', value: ({ requestedAt }) => timeCell(requestedAt) },
    { title: 'column.reason', value: ({ reason }) => reason },
    { title: 'column.comment', value: ({ comment }) => comment },
  ],
  name: ({ id }) => id,
}
