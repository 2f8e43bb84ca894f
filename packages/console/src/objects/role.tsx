import type { OrganizationRole } from '@slipway/contract'
import { Select } from 'antd'

import { useText } from '../preferences/text.ts'

export const ROLES: readonly OrganizationRole[] = ['owner', 'maintainer', 'developer', 'viewer']

type RoleProps = {
  readonly id: string
  readonly value: OrganizationRole
  readonly set: (role: OrganizationRole) => void
}

/** A choice of role, each with what it may. */
export function RoleSelect({ id, value, set }: RoleProps) {
  const { text } = useText()
  return (
    <Select<OrganizationRole>
      id={id}
      value={value}
      onChange={set}
      options={ROLES.map((role) => ({ value: role, label: text(`member.role.${role}`) }))}
      optionRender={({ value: role }) => (
        <span className="role-option">
          <span>{text(`member.role.${role as OrganizationRole}`)}</span>
          <small>{text(`member.role.${role as OrganizationRole}.text`)}</small>
        </span>
      )}
    />
  )
}
