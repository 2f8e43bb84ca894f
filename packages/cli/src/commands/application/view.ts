import type { Application } from '@slipway/contract'

import { timeCell, type View } from '../../output/table.ts'

export const applicationView: View<Application> = {
  columns: [
    { title: 'column.slug', value: ({ slug }) => slug },
    { title: 'column.displayName', value: ({ name }) => name },
    { title: 'column.project', value: ({ projectId }) => projectId, wide: true },
    { title: 'column.id', value: ({ id }) => id },
    { title: 'column.created', value: ({ createdAt }) => timeCell(createdAt) },
  ],
  name: ({ id }) => id,
}
