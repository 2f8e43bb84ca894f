import type { Account } from '@slipway/contract'

import type { View } from '../output/table.ts'

export const accountView: View<Account> = {
  columns: [
    { title: 'column.user', value: ({ user }) => user.name },
    { title: 'column.displayName', value: ({ user }) => user.displayName },
    { title: 'column.via', value: ({ via }) => via },
    { title: 'column.roles', value: ({ user }) => user.platformRoles.join(', ') },
    {
      title: 'column.memberships',
      value: ({ memberships }) =>
        memberships.map((one) => `${one.projectId ?? one.organizationId} (${one.role})`).join(', '),
    },
    { title: 'column.userId', value: ({ user }) => user.id },
  ],
  name: ({ user }) => user.name,
}
