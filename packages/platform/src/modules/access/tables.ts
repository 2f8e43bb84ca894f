import type { OrganizationRole } from '@slipway/contract'

export type MembershipTable = {
  readonly user_id: string
  readonly organization_id: string
  /** Empty text: the whole Organization (part of the primary key, which knows no null). */
  readonly project_id: string
  readonly role: OrganizationRole
  readonly created_at: Date
}
export type AccessTables = { readonly access_membership: MembershipTable }
