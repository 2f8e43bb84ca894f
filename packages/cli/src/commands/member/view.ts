import type { Member, PermissionHolding } from '@slipway/contract'

import type { View } from '../../output/table.ts'

export const memberView: View<Member> = {
  columns: [
    { title: 'column.user', value: ({ userName }) => userName },
    { title: 'column.role', value: ({ role }) => role },
    { title: 'column.project', value: ({ projectId }) => projectId },
    { title: 'column.organization', value: ({ organizationId }) => organizationId, wide: true },
    { title: 'column.userId', value: ({ userId }) => userId },
  ],
  name: ({ userName }) => userName,
}

export const permissionView: View<PermissionHolding> = {
  columns: [
    { title: 'column.permission', value: ({ permission }) => permission },
    { title: 'column.allowed', value: ({ allowed }) => allowed },
    { title: 'column.leastRole', value: ({ role }) => role },
  ],
  name: ({ permission }) => permission,
}
