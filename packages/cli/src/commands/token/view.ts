import type { Token } from '@slipway/contract'

import { timeCell, type View } from '../../output/table.ts'

export const tokenView: View<Token> = {
  columns: [
    { title: 'column.id', value: ({ id }) => id },
    { title: 'column.name', value: ({ name }) => name },
    { title: 'column.organization', value: ({ organizationId }) => organizationId, wide: true },
    { title: 'column.expires', value: ({ expiresAt }) => timeCell(expiresAt) },
    { title: 'column.lastUsed', value: ({ lastUsedAt }) => timeCell(lastUsedAt) },
    { title: 'column.created', value: ({ createdAt }) => timeCell(createdAt), wide: true },
  ],
  name: ({ id }) => id,
}
