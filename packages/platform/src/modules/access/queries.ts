import type { OrganizationRole } from '@slipway/contract'
import { sql, type RawBuilder, type SqlBool } from 'kysely'
import { decodeCursor } from '@slipway/kit'

import type { Db } from '../../tables.ts'
import type { Membership } from './model.ts'
import type { OrganizationNode, ProjectFilter } from './plan.ts'
import type { MembershipTable } from './tables.ts'

export async function membershipsOf(db: Db, userId: string): Promise<Membership[]> {
  const rows = await db.selectFrom('access_membership').selectAll().where('user_id', '=', userId).execute()
  return rows.map(membershipOf)
}

/** The Organizations with these ids and everything below them. */
export async function organizationsBelow(db: Db, ids: readonly string[]): Promise<OrganizationNode[]> {
  if (ids.length === 0) return []
  const result = await sql<{ id: string; parent_id: string | null }>`
    with recursive below as (
      select id, parent_id from tenancy_organization where id = any (${[...ids]})
      union select child.id, child.parent_id from tenancy_organization child join below on child.parent_id = below.id
    ) select id, parent_id from below`.execute(db)
  return result.rows.map((row) => ({ id: row.id, parentId: row.parent_id }))
}

/** One row more than the limit, by user and Project. */
export async function listMemberships(
  db: Db,
  organizationId: string,
  page: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<Membership[]> {
  let query = db
    .selectFrom('access_membership')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .orderBy('user_id')
    .orderBy('project_id')
    .limit(page.limit + 1)
  if (page.cursor !== undefined) {
    const [user = '', project = ''] = decodeCursor(page.cursor, 2)
    query = query.where((e) => e(e.refTuple('user_id', 'project_id'), '>', e.tuple(user, project)))
  }
  return (await query.execute()).map(membershipOf)
}

export async function upsertMembership(db: Db, membership: Membership, now: Date): Promise<void> {
  await db
    .insertInto('access_membership')
    .values({
      user_id: membership.userId,
      organization_id: membership.organizationId,
      project_id: membership.projectId ?? '',
      role: membership.role,
      created_at: now,
    })
    .onConflict((conflict) =>
      conflict.columns(['user_id', 'organization_id', 'project_id']).doUpdateSet({ role: membership.role }),
    )
    .execute()
}

export async function deleteMembership(
  db: Db,
  userId: string,
  organizationId: string,
  projectId: string | null,
): Promise<boolean> {
  const result = await db
    .deleteFrom('access_membership')
    .where('user_id', '=', userId)
    .where('organization_id', '=', organizationId)
    .where('project_id', '=', projectId ?? '')
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}

/** Role of a user in exactly this Organization or Project, inherited ones not counted. */
export async function findRole(
  db: Db,
  userId: string,
  organizationId: string,
  projectId: string | null,
): Promise<OrganizationRole | undefined> {
  const row = await db
    .selectFrom('access_membership')
    .select('role')
    .where('user_id', '=', userId)
    .where('organization_id', '=', organizationId)
    .where('project_id', '=', projectId ?? '')
    .executeTakeFirst()
  return row?.role
}

/** Locks the owners of an Organization, so that two removals cannot both leave "the other one". */
export async function lockOwners(db: Db, organizationId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('access_membership')
    .select('user_id')
    .where('organization_id', '=', organizationId)
    .where('project_id', '=', '')
    .where('role', '=', 'owner')
    .orderBy('user_id')
    .forUpdate()
    .execute()
  return rows.map((row) => row.user_id)
}

function membershipOf(row: MembershipTable): Membership {
  return {
    userId: row.user_id,
    organizationId: row.organization_id,
    projectId: row.project_id === '' ? null : row.project_id,
    role: row.role,
  }
}

/** The condition that narrows a list of things that belong to Projects; `columns` hold the ids of Organization and Project. */
export function isVisible(
  filter: ProjectFilter,
  columns: { readonly organization: string; readonly project: string },
): RawBuilder<SqlBool> {
  if (filter === 'all') return sql<SqlBool>`true`
  const { organizations, projects } = filter
  return sql<SqlBool>`(${sql.ref(columns.organization)} = any (${[...organizations]}) or ${sql.ref(columns.project)} = any (${[...projects]}))`
}

/** The condition that one of the columns holds a text, in any case. Such tables have some thousands of rows, which need no index. */
export function isNamedLike(text: string, columns: readonly string[]): RawBuilder<SqlBool> {
  const held = columns.map(
    (column) => sql<SqlBool>`position(lower(${text}) in lower(${sql.ref(column)})) > 0`,
  )
  return sql<SqlBool>`(${sql.join(held, sql` or `)})`
}

/** What a list in the order of short names is asked for beside its place. */
export type NamedPage = {
  readonly limit: number
  readonly cursor?: string | undefined
  readonly slug?: string | undefined
  readonly text?: string | undefined
}

/** The condition that a row has the short name, or the part of a name, that is looked for. */
export function isNamed({ slug, text }: Pick<NamedPage, 'slug' | 'text'>): RawBuilder<SqlBool> {
  const named = slug === undefined ? sql<SqlBool>`true` : sql<SqlBool>`slug = ${slug}`
  return text === undefined ? named : sql<SqlBool>`(${named} and ${isNamedLike(text, ['slug', 'name'])})`
}

/** The condition of a list in the order of short names, where these are unique: named so, and behind the cursor. */
export function isOnPage(page: NamedPage): RawBuilder<SqlBool> {
  if (page.cursor === undefined) return isNamed(page)
  const [last = ''] = decodeCursor(page.cursor, 1)
  return sql<SqlBool>`(${isNamed(page)} and slug > ${last})`
}

/** The condition that a column holds one of the values, however many they are. */
export function isOneOf(column: string, values: readonly string[]): RawBuilder<SqlBool> {
  return sql<SqlBool>`${sql.ref(column)} = any (${[...values]})`
}
