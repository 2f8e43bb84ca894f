import type { OrganizationRole, PlatformRole } from '@slipway/contract'
import { isForeignKeyViolation } from '@slipway/db'

import type { Ctx } from '../../context.ts'
import { httpErrors } from '../../http/errors.ts'
import type { Db } from '../../tables.ts'
import { accessErrors } from './errors.ts'
import type { Access, Membership } from './model.ts'
import { accessOf, mayGrant } from './plan.ts'
import * as queries from './queries.ts'

/** Reads and works out what a user may do. @param within - narrows it to one Organization */
export async function loadAccess(
  db: Db,
  user: { readonly id: string; readonly platformRoles: readonly PlatformRole[] },
  within: string | null,
): Promise<Access> {
  const memberships = await queries.membershipsOf(db, user.id)
  const roots = new Set(memberships.map((one) => one.organizationId))
  if (within !== null) roots.add(within)
  const organizations = await queries.organizationsBelow(db, [...roots])
  return accessOf(user.platformRoles, memberships, organizations, within)
}

type Subject = { readonly userId: string; readonly organizationId: string; readonly projectId: string | null }

/**
 * Gives a user a role. Nobody gives a role beyond their own, nor changes that of somebody who has one.
 * @param projectOrganizationId - the Organization of `projectId`, as the database knows it
 */
export async function setMember(
  ctx: Ctx,
  subject: Subject & { readonly role: OrganizationRole; readonly projectOrganizationId: string | null },
): Promise<Membership> {
  if (subject.projectId !== null && subject.projectOrganizationId !== subject.organizationId)
    throw httpErrors.not_found()
  const before = await refuseBeyondOwn(ctx, subject)
  if (!mayGrant(ctx.account.access, subject.role, subject)) throw accessErrors.member_role_beyond_own()
  if (before === 'owner' && subject.role !== 'owner') await refuseLastOwner(ctx.db, subject)
  const membership: Membership = {
    userId: subject.userId,
    organizationId: subject.organizationId,
    projectId: subject.projectId,
    role: subject.role,
  }
  try {
    await queries.upsertMembership(ctx.db, membership, ctx.now)
  } catch (thrown) {
    if (isForeignKeyViolation(thrown)) throw accessErrors.user_unknown(undefined, { cause: thrown })
    throw thrown
  }
  ctx.note({
    detail: { user: subject.userId, project: subject.projectId, before: before ?? null, after: subject.role },
  })
  return membership
}

export async function removeMember(ctx: Ctx, subject: Subject): Promise<void> {
  const before = await refuseBeyondOwn(ctx, subject)
  if (before === 'owner') await refuseLastOwner(ctx.db, subject)
  const removed = await queries.deleteMembership(
    ctx.db,
    subject.userId,
    subject.organizationId,
    subject.projectId,
  )
  if (!removed) throw httpErrors.not_found()
  ctx.note({ detail: { user: subject.userId, project: subject.projectId, before: before ?? null } })
}

async function refuseBeyondOwn(ctx: Ctx, subject: Subject): Promise<OrganizationRole | undefined> {
  const before = await queries.findRole(ctx.db, subject.userId, subject.organizationId, subject.projectId)
  if (before !== undefined && !mayGrant(ctx.account.access, before, subject))
    throw accessErrors.member_role_beyond_own()
  return before
}

async function refuseLastOwner(db: Db, subject: Subject): Promise<void> {
  if (subject.projectId !== null) return
  const owners = await queries.lockOwners(db, subject.organizationId)
  if (owners.length === 1 && owners[0] === subject.userId) throw accessErrors.member_last_owner()
}
