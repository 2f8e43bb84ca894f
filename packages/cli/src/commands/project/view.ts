import type { Project } from '@slipway/contract'

import { timeCell, type View } from '../../output/table.ts'

export const projectView: View<Project> = {
  columns: [
    { title: 'column.slug', value: ({ slug }) => slug },
    { title: 'column.displayName', value: ({ name }) => name },
    { title: 'column.organization', value: ({ organizationId }) => organizationId, wide: true },
    { title: 'column.id', value: ({ id }) => id },
    { title: 'column.created', value: ({ createdAt }) => timeCell(createdAt) },
  ],
  name: ({ slug }) => slug,
}
