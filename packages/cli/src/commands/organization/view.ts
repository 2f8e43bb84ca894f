import type { Organization } from '@slipway/contract'

import { timeCell, type View } from '../../output/table.ts'

export const organizationView: View<Organization> = {
  columns: [
    { title: 'column.slug', value: ({ slug }) => slug },
    { title: 'column.displayName', value: ({ name }) => name },
    { title: 'column.parent', value: ({ parentId }) => parentId, wide: true },
    { title: 'column.id', value: ({ id }) => id },
    { title: 'column.created', value: ({ createdAt }) => timeCell(createdAt) },
  ],
  name: ({ slug }) => slug,
}
