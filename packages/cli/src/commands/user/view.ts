import type { User } from '@slipway/contract'

import { timeCell, type View } from '../../output/table.ts'

export const userView: View<User> = {
  columns: [
    { title: 'column.name', value: ({ name }) => name },
    { title: 'column.displayName', value: ({ displayName }) => displayName },
    { title: 'column.roles', value: ({ platformRoles }) => platformRoles.join(', ') },
    { title: 'column.disabled', value: ({ disabled }) => disabled },
    { title: 'column.id', value: ({ id }) => id },
    { title: 'column.created', value: ({ createdAt }) => timeCell(createdAt), wide: true },
  ],
  name: ({ name }) => name,
}
