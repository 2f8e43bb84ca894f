import { constantFrom, assert as check, property, subarray } from 'fast-check'
import { describe, expect, test } from 'vitest'

import { permissions, type OrganizationRole, type PlatformRole } from '@slipway/contract'

import type { Membership } from './model.ts'
import {
  accessOf,
  databaseScopeOf,
  decide,
  holdingsAt,
  leastRoleWith,
  mayGrant,
  permissionsAt,
  projectFilterOf,
} from './plan.ts'

const tree = [
  { id: 'top', parentId: null },
  { id: 'middle', parentId: 'top' },
  { id: 'leaf', parentId: 'middle' },
  { id: 'other', parentId: null },
]
const member = (
  organizationId: string,
  role: OrganizationRole,
  projectId: string | null = null,
): Membership => ({
  userId: 'usr',
  organizationId,
  projectId,
  role,
})
const at = (organizationId: string | null, projectId: string | null = null) => ({ organizationId, projectId })

describe('access', () => {
  test('a role holds in everything below its Organization and nowhere else', () => {
    const access = accessOf([], [member('middle', 'developer')], tree, null)
    expect(decide(access, 'release:create', at('leaf', 'any'))).toBe('allowed')
    expect(decide(access, 'release:create', at('middle'))).toBe('allowed')
    expect(decide(access, 'release:approve', at('leaf'))).toBe('missing')
    expect(decide(access, 'project:read', at('top'))).toBe('unknown')
    expect(decide(access, 'project:read', at('other'))).toBe('unknown')
    expect(databaseScopeOf(access)).toEqual(['middle', 'leaf'])
  })

  test('what one may is told for every permission, with the role that has the rest', () => {
    const access = accessOf([], [member('top', 'developer')], tree, null)
    const inside = holdingsAt(access, at('leaf', 'any'))
    expect(inside.map(({ permission }) => permission)).toEqual(permissions)
    expect(inside).toContainEqual({ permission: 'build:create', allowed: true, role: 'developer' })
    expect(inside).toContainEqual({ permission: 'release:approve', allowed: false, role: 'maintainer' })
    // No role of an Organization helps over the installation as a whole.
    expect(holdingsAt(access, at(null))).toContainEqual({
      permission: 'project:create',
      allowed: false,
      role: 'operator',
    })
  })

  test('a member of one Project sees that Project and may name its Organization only', () => {
    const access = accessOf([], [member('top', 'developer', 'prj')], tree, null)
    expect(decide(access, 'build:create', at('top', 'prj'))).toBe('allowed')
    expect(decide(access, 'project:read', at('top', 'prj2'))).toBe('missing')
    expect(decide(access, 'organization:read', at('top'))).toBe('allowed')
    expect(decide(access, 'member:read', at('top'))).toBe('missing')
    expect(projectFilterOf(access, 'project:read')).toEqual({ organizations: [], projects: ['prj'] })
  })

  test('platform roles reach everything, but not through a token narrowed to an Organization', () => {
    expect(decide(accessOf(['operator'], [], tree, null), 'user:create', at(null))).toBe('allowed')
    expect(decide(accessOf(['auditor'], [], tree, null), 'project:update', at('leaf'))).toBe('missing')
    const narrowed = accessOf(['operator'], [], tree, 'middle')
    expect(decide(narrowed, 'user:create', at(null))).toBe('missing')
    expect(decide(narrowed, 'project:read', at('other'))).toBe('unknown')
    expect(decide(narrowed, 'project:create', at('leaf'))).toBe('allowed')
    expect(databaseScopeOf(narrowed)).not.toBe('all')
  })

  test('a narrowed token never holds more than its user', () => {
    const roles = constantFrom<OrganizationRole>('owner', 'maintainer', 'developer', 'viewer')
    check(
      property(
        subarray<PlatformRole>(['operator', 'auditor']),
        subarray(['top', 'middle', 'leaf', 'other']),
        roles,
        constantFrom('top', 'middle', 'leaf', 'other'),
        (platformRoles, where, role, within) => {
          const memberships = where.map((id) => member(id, role))
          const whole = accessOf(platformRoles, memberships, tree, null)
          const narrow = accessOf(platformRoles, memberships, tree, within)
          for (const { id } of tree)
            for (const permission of permissionsAt(narrow, at(id)))
              expect(permissionsAt(whole, at(id))).toContain(permission)
        },
      ),
    )
  })

  test('a narrowed token of an auditor reads in its Organization and changes nothing there', () => {
    const narrowed = accessOf(['auditor'], [], tree, 'middle')
    expect(decide(narrowed, 'audit:read', at('leaf'))).toBe('allowed')
    expect(decide(narrowed, 'member:update', at('leaf'))).toBe('missing')
    expect(decide(narrowed, 'project:read', at('top'))).toBe('unknown')
    const both = accessOf(['auditor'], [member('middle', 'developer')], tree, 'middle')
    expect(decide(both, 'build:create', at('leaf'))).toBe('allowed')
  })

  test.each<[Parameters<typeof leastRoleWith>[0], string | null, string]>([
    ['instance:log', 'top', 'viewer'],
    ['release:create', 'top', 'developer'],
    ['release:approve', 'top', 'maintainer'],
    ['member:update', 'top', 'owner'],
    ['organization:create', 'top', 'operator'],
    ['user:read', null, 'auditor'],
    ['user:create', null, 'operator'],
    ['audit:read', null, 'auditor'],
    ['project:create', null, 'operator'],
  ])('who lacks %s at %s is told of the role %s', (permission, where, role) => {
    expect(leastRoleWith(permission, at(where))).toBe(role)
  })

  test('nobody grants a role with more permissions than they hold', () => {
    const access = accessOf([], [member('top', 'maintainer')], tree, null)
    expect(mayGrant(access, 'developer', at('top'))).toBe(true)
    expect(mayGrant(access, 'owner', at('top'))).toBe(false)
  })

  test('roles only ever add permissions from viewer to owner to operator', () => {
    const sets = (['viewer', 'developer', 'maintainer', 'owner'] as const).map((role) =>
      permissionsAt(accessOf([], [member('top', role)], tree, null), at('top')),
    )
    for (let index = 1; index < sets.length; index += 1)
      for (const permission of sets[index - 1] ?? []) expect(sets[index]).toContain(permission)
    expect(permissionsAt(accessOf(['operator'], [], tree, null), at(null)).size).toBe(permissions.length)
  })
})
