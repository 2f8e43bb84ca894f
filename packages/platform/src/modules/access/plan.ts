import type { OrganizationRole, Permission, PermissionHolding, PlatformRole } from '@slipway/contract'
import { permissions } from '@slipway/contract'

import {
  platformRolePermissions,
  rolePermissions,
  type Access,
  type HeldRole,
  type Membership,
  type Place,
} from './model.ts'

export type OrganizationNode = { readonly id: string; readonly parentId: string | null }

/**
 * Works out a caller's access. Roles of an Organization hold in everything below it.
 * @param organizations - every Organization at or below one the caller is a member of
 * @param within - narrows everything to this Organization and what is below it (API tokens)
 */
export function accessOf(
  platformRoles: readonly PlatformRole[],
  memberships: readonly Membership[],
  organizations: readonly OrganizationNode[],
  within: string | null,
): Access {
  const parents = new Map(organizations.map((organization) => [organization.id, organization.parentId]))
  const isWithin = (id: string): boolean => within === null || isAtOrBelow(id, within, parents)
  const organizationRoles = new Map<string, ReadonlySet<HeldRole>>()
  for (const { id } of organizations) {
    if (!isWithin(id)) continue
    const line = lineOf(id, parents)
    const roles = memberships.filter((one) => one.projectId === null && line.includes(one.organizationId))
    if (roles.length > 0) organizationRoles.set(id, new Set(roles.map((one) => one.role)))
  }
  const projectMemberships = memberships.filter(
    (one) => one.projectId !== null && isWithin(one.organizationId),
  )
  const projectRoles = new Map<string, Set<OrganizationRole>>()
  for (const one of projectMemberships) {
    if (one.projectId === null) continue
    projectRoles.set(one.projectId, (projectRoles.get(one.projectId) ?? new Set()).add(one.role))
  }
  return {
    // A token that is narrowed to an Organization carries no power over the installation.
    platformRoles: within === null ? platformRoles : [],
    organizationRoles:
      within === null
        ? organizationRoles
        : withPlatformRoles(organizationRoles, platformRoles, [...parents.keys()].filter(isWithin)),
    projectRoles,
    visibleOrganizations: new Set(projectMemberships.map((one) => one.organizationId)),
  }
}

/**
 * What a platform role is worth in the Organizations that a token is narrowed to: an operator could make themselves owner there
 * anyway, an auditor reads there and no more.
 */
function withPlatformRoles(
  roles: ReadonlyMap<string, ReadonlySet<HeldRole>>,
  platformRoles: readonly PlatformRole[],
  organizations: readonly string[],
): ReadonlyMap<string, ReadonlySet<HeldRole>> {
  if (platformRoles.length === 0) return roles
  const held = platformRoles.map((role): HeldRole => (role === 'operator' ? 'owner' : role))
  return new Map([
    ...roles,
    ...organizations.map((id): [string, ReadonlySet<HeldRole>] => [
      id,
      new Set([...(roles.get(id) ?? []), ...held]),
    ]),
  ])
}

function lineOf(id: string, parents: ReadonlyMap<string, string | null>): string[] {
  const line = [id]
  let parent = parents.get(id)
  while (parent !== undefined && parent !== null && !line.includes(parent)) {
    line.push(parent)
    parent = parents.get(parent)
  }
  return line
}

function isAtOrBelow(id: string, ancestor: string, parents: ReadonlyMap<string, string | null>): boolean {
  return lineOf(id, parents).includes(ancestor)
}

/** Every permission the caller has at a place. The empty place (`installation`) knows platform roles only. */
export function permissionsAt(access: Access, place: Place): ReadonlySet<Permission> {
  const all = new Set<Permission>()
  for (const role of access.platformRoles)
    platformRolePermissions[role].forEach((permission) => all.add(permission))
  for (const role of rolesAt(access, place))
    rolePermissions[role].forEach((permission) => all.add(permission))
  const { organizationId } = place
  // Members of one Project may name its Organization.
  if (organizationId !== null && access.visibleOrganizations.has(organizationId)) all.add('organization:read')
  return all
}

/** Every permission at a place: whether the caller has it, and the least role that does. */
export function holdingsAt(access: Access, place: Place): readonly PermissionHolding[] {
  const held = permissionsAt(access, place)
  return permissions.map((permission) => ({
    permission,
    allowed: held.has(permission),
    role: leastRoleWith(permission, place),
  }))
}

/** Roles the caller holds at a place, inherited ones included. */
export function rolesAt(access: Access, place: Place): ReadonlySet<HeldRole> {
  const roles = new Set<HeldRole>()
  if (place.organizationId !== null)
    access.organizationRoles.get(place.organizationId)?.forEach((role) => roles.add(role))
  if (place.projectId !== null) access.projectRoles.get(place.projectId)?.forEach((role) => roles.add(role))
  return roles
}

export type Decision = 'allowed' | 'missing' | 'unknown'

/**
 * Decides a request. `missing`: the caller may see the object but lacks the permission (403).
 * `unknown`: the caller may not know that the object exists (404).
 */
export function decide(access: Access, permission: Permission, place: Place): Decision {
  const held = permissionsAt(access, place)
  if (held.has(permission)) return 'allowed'
  return held.size > 0 || place.organizationId === null ? 'missing' : 'unknown'
}

/** The Organizations whose rows the database shows to the caller; the second wall behind every query. */
export function databaseScopeOf(access: Access): 'all' | readonly string[] {
  if (access.platformRoles.length > 0) return 'all'
  return [...new Set([...access.organizationRoles.keys(), ...access.visibleOrganizations])]
}

/** Which Projects a list may show. */
export type ProjectFilter =
  | 'all'
  | { readonly organizations: readonly string[]; readonly projects: readonly string[] }

/** Narrows a list of things that belong to Projects to those the caller may see with `permission`. */
export function projectFilterOf(access: Access, permission: Permission): ProjectFilter {
  if (access.platformRoles.some((role) => platformRolePermissions[role].has(permission))) return 'all'
  const grants = (roles: ReadonlySet<HeldRole>): boolean =>
    [...roles].some((role) => rolePermissions[role].has(permission))
  return {
    organizations: [...access.organizationRoles].filter(([, roles]) => grants(roles)).map(([id]) => id),
    projects: [...access.projectRoles].filter(([, roles]) => grants(roles)).map(([id]) => id),
  }
}

/** True when every permission of `role` is already held at the place: nobody gives more than they have. */
export function mayGrant(access: Access, role: OrganizationRole, place: Place): boolean {
  const held = permissionsAt(access, place)
  return [...rolePermissions[role]].every((permission) => held.has(permission))
}

/** From the fewest permissions to the most. */
const rolesByPower: readonly OrganizationRole[] = ['viewer', 'developer', 'maintainer', 'owner']
const platformRolesByPower: readonly PlatformRole[] = ['auditor', 'operator']

/** The role with the fewest permissions that gives this one at a place. */
export function leastRoleWith(permission: Permission, place: Place): OrganizationRole | PlatformRole {
  const own = place.organizationId === null ? [] : rolesByPower
  return (
    own.find((role) => rolePermissions[role].has(permission)) ??
    platformRolesByPower.find((role) => platformRolePermissions[role].has(permission)) ??
    'operator'
  )
}
