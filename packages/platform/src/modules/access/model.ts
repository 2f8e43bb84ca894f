import type { OrganizationRole, Permission, PlatformRole } from '@slipway/contract'
import { permissions } from '@slipway/contract'

const viewer: readonly Permission[] = [
  'organization:read',
  'project:read',
  'member:read',
  'cluster:read',
  'source:read',
  'image:pull',
  'workload:export',
  'instance:log',
]
const developer: readonly Permission[] = [
  ...viewer,
  'application:create',
  'application:update',
  'source:update',
  'workload:create',
  'workload:update',
  'workload:scale',
  'workload:restart',
  'build:create',
  'build:cancel',
  'image:push',
  'release:create',
  'release:control',
  'instance:exec',
  'instance:restart',
]
const maintainer: readonly Permission[] = [
  ...developer,
  'project:update',
  'environment:create',
  'environment:update',
  'environment:delete',
  'application:delete',
  'workload:delete',
  'image:delete',
  'release:approve',
  'audit:read',
]
const owner: readonly Permission[] = [
  ...maintainer,
  'organization:update',
  'organization:delete',
  'project:create',
  'project:delete',
  'member:update',
]

const auditor: readonly Permission[] = permissions.filter(
  (permission) => permission.endsWith(':read') || permission === 'workload:export',
)

/** A role at an Organization or Project. `auditor` is there only by a token that narrows a platform's auditor to it. */
export type HeldRole = OrganizationRole | 'auditor'

/** What each role of an Organization or Project may do. */
export const rolePermissions: Readonly<Record<HeldRole, ReadonlySet<Permission>>> = {
  auditor: new Set(auditor),
  viewer: new Set(viewer),
  developer: new Set(developer),
  maintainer: new Set(maintainer),
  owner: new Set(owner),
}

/** What each role of the whole installation may do: operators everything, auditors read. */
export const platformRolePermissions: Readonly<Record<PlatformRole, ReadonlySet<Permission>>> = {
  operator: new Set(permissions),
  auditor: new Set(auditor),
}

/** A role that a user holds in an Organization and all below it, or in one Project. */
export type Membership = {
  readonly userId: string
  readonly organizationId: string
  readonly projectId: string | null
  readonly role: OrganizationRole
}

/** Everything a caller may do, worked out once per request from their memberships and the tree of Organizations. */
export type Access = {
  readonly platformRoles: readonly PlatformRole[]
  /** Roles by Organization, inherited ones included. */
  readonly organizationRoles: ReadonlyMap<string, ReadonlySet<HeldRole>>
  /** Roles by Project that its Organization does not give. */
  readonly projectRoles: ReadonlyMap<string, ReadonlySet<OrganizationRole>>
  /** Organizations a member of a single Project may name, but not look into. */
  readonly visibleOrganizations: ReadonlySet<string>
}

/** Where a permission is asked for. */
export type Place = { readonly organizationId: string | null; readonly projectId: string | null }

/** What an anonymous caller may do. */
export const noAccess: Access = {
  platformRoles: [],
  organizationRoles: new Map(),
  projectRoles: new Map(),
  visibleOrganizations: new Set(),
}
