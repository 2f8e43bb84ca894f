import type { PlatformRole } from '@slipway/contract'
import { decodeCursor } from '@slipway/kit'
import { sql, type RawBuilder, type SqlBool } from 'kysely'

import type { Db } from '../../tables.ts'
import { isNamedLike } from '../access/index.ts'
import type { Session, Token, User } from './model.ts'
import type { TokenTable, UserTable } from './tables.ts'

type PageInput = { readonly limit: number; readonly cursor?: string | undefined }

export async function insertUser(db: Db, user: User, passwordHash: string): Promise<void> {
  await db
    .insertInto('identity_user')
    .values({
      id: user.id,
      name: user.name,
      display_name: user.displayName,
      password_hash: passwordHash,
      platform_roles: [...user.platformRoles],
      disabled: user.disabled,
      created_at: user.createdAt,
    })
    .execute()
}

export async function findUser(db: Db, id: string): Promise<User | undefined> {
  const row = await db.selectFrom('identity_user').selectAll().where('id', '=', id).executeTakeFirst()
  return row && userOf(row)
}

/** A user with the stored password hash, by sign-in name. */
export async function findCredentials(
  db: Db,
  name: string,
): Promise<{ user: User; passwordHash: string } | undefined> {
  const row = await db.selectFrom('identity_user').selectAll().where('name', '=', name).executeTakeFirst()
  return row && { user: userOf(row), passwordHash: row.password_hash }
}

export async function findPasswordHash(db: Db, id: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('identity_user')
    .select('password_hash')
    .where('id', '=', id)
    .executeTakeFirst()
  return row?.password_hash
}

/** One row more than the limit, by name. */
export async function listUsers(
  db: Db,
  page: PageInput & { readonly name?: string | undefined; readonly text?: string | undefined },
): Promise<User[]> {
  let query = db
    .selectFrom('identity_user')
    .selectAll()
    .orderBy('name')
    .limit(page.limit + 1)
  if (page.name !== undefined) query = query.where('name', '=', page.name)
  if (page.text !== undefined) query = query.where(isNamedLike(page.text, ['name', 'display_name']))
  if (page.cursor !== undefined) query = query.where('name', '>', decodeCursor(page.cursor, 1)[0] ?? '')
  return (await query.execute()).map(userOf)
}

/** Names of those users that exist, by id. At most a page of ids. */
export async function userNames(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('identity_user')
    .select(['id', 'name'])
    .where('id', 'in', [...new Set(ids)])
    .execute()
  return new Map(rows.map((row) => [row.id, row.name]))
}

export type UserChange = {
  readonly displayName?: string | undefined
  readonly platformRoles?: readonly PlatformRole[] | undefined
  readonly disabled?: boolean | undefined
  readonly passwordHash?: string | undefined
}

export async function updateUser(db: Db, id: string, change: UserChange): Promise<User | undefined> {
  const row = await db
    .updateTable('identity_user')
    .set({
      // A field that is not given keeps its value; the assignment makes an empty change valid SQL.
      id,
      ...(change.displayName === undefined ? {} : { display_name: change.displayName }),
      ...(change.platformRoles === undefined ? {} : { platform_roles: [...change.platformRoles] }),
      ...(change.disabled === undefined ? {} : { disabled: change.disabled }),
      ...(change.passwordHash === undefined ? {} : { password_hash: change.passwordHash }),
    })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
  return row && userOf(row)
}

/** Locks the active operators, so that two changes cannot both leave "the other one". */
export async function lockOperators(db: Db): Promise<string[]> {
  const rows = await db
    .selectFrom('identity_user')
    .select('id')
    .where('disabled', '=', false)
    .where((e) => e(e.val('operator'), '=', e.fn.any('platform_roles')))
    .orderBy('id')
    .forUpdate()
    .execute()
  return rows.map((row) => row.id)
}

export async function hasOperator(db: Db): Promise<boolean> {
  const row = await db
    .selectFrom('identity_user')
    .select('id')
    .where((e) => e(e.val('operator'), '=', e.fn.any('platform_roles')))
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

export async function insertSession(db: Db, session: Session): Promise<void> {
  await db
    .insertInto('identity_session')
    .values({
      secret_hash: session.secretHash,
      user_id: session.userId,
      created_at: session.createdAt,
      used_at: session.usedAt,
      expires_at: session.expiresAt,
    })
    .execute()
}

/** The live session with this secret and its user, unless the user is disabled. */
export async function findSession(
  db: Db,
  secretHash: string,
  now: Date,
  idleSince: Date,
): Promise<{ user: User; usedAt: Date } | undefined> {
  const row = await db
    .selectFrom('identity_session as s')
    .innerJoin('identity_user as u', 'u.id', 's.user_id')
    .selectAll('u')
    .select('s.used_at')
    .where('s.secret_hash', '=', secretHash)
    .where('s.expires_at', '>', now)
    .where('s.used_at', '>', idleSince)
    .where('u.disabled', '=', false)
    .executeTakeFirst()
  return row && { user: userOf(row), usedAt: row.used_at }
}

export async function touchSession(db: Db, secretHash: string, now: Date): Promise<void> {
  await db
    .updateTable('identity_session')
    .set({ used_at: now })
    .where('secret_hash', '=', secretHash)
    .execute()
}

export async function deleteSession(db: Db, secretHash: string): Promise<void> {
  await db.deleteFrom('identity_session').where('secret_hash', '=', secretHash).execute()
}

/** Ends all sessions of a user but one. */
export async function deleteSessions(db: Db, userId: string, except = ''): Promise<void> {
  await db
    .deleteFrom('identity_session')
    .where('user_id', '=', userId)
    .where('secret_hash', '!=', except)
    .execute()
}

/** Ends what has expired, and the oldest sessions of a user beyond `max`. */
export async function trimSessions(db: Db, userId: string, now: Date, max: number): Promise<void> {
  await db
    .deleteFrom('identity_session')
    .where('user_id', '=', userId)
    .where('expires_at', '<=', now)
    .execute()
  const surplus = db
    .selectFrom('identity_session')
    .select('secret_hash')
    .where('user_id', '=', userId)
    .orderBy('created_at', 'desc')
    .offset(max)
  await db.deleteFrom('identity_session').where('secret_hash', 'in', surplus).execute()
}

export async function insertToken(db: Db, token: Token, secretHash: string): Promise<void> {
  await db
    .insertInto('identity_token')
    .values({
      id: token.id,
      user_id: token.userId,
      organization_id: token.organizationId,
      name: token.name,
      secret_hash: secretHash,
      created_at: token.createdAt,
      expires_at: token.expiresAt,
      used_at: null,
      made_with: token.madeWith,
    })
    .execute()
}

export async function findToken(
  db: Db,
  secretHash: string,
  now: Date,
): Promise<{ user: User; token: Token } | undefined> {
  return findTokenBy(db, 't.secret_hash', secretHash, now)
}

export async function findTokenById(
  db: Db,
  id: string,
  now: Date,
): Promise<{ user: User; token: Token } | undefined> {
  return findTokenBy(db, 't.id', id, now)
}

async function findTokenBy(
  db: Db,
  column: 't.secret_hash' | 't.id',
  value: string,
  now: Date,
): Promise<{ user: User; token: Token } | undefined> {
  const row = await db
    .selectFrom('identity_token as t')
    .innerJoin('identity_user as u', 'u.id', 't.user_id')
    .selectAll('t')
    .select([
      'u.name as user_name',
      'u.display_name',
      'u.platform_roles',
      'u.disabled',
      'u.created_at as user_created_at',
    ])
    .where(column, '=', value)
    .where('t.expires_at', '>', now)
    .where('u.disabled', '=', false)
    .executeTakeFirst()
  if (!row) return undefined
  const user: User = {
    id: row.user_id,
    name: row.user_name,
    displayName: row.display_name,
    platformRoles: row.platform_roles,
    disabled: row.disabled,
    createdAt: row.user_created_at,
  }
  return { user, token: tokenOf(row) }
}

export async function touchToken(db: Db, id: string, now: Date): Promise<void> {
  await db.updateTable('identity_token').set({ used_at: now }).where('id', '=', id).execute()
}

/** Whose tokens: all of a user, or only one of them with those made with it. */
export type TokenHolder = { readonly userId: string; readonly onlyBelow: string | undefined }

/** One row more than the limit, newest first. */
export async function listTokens(db: Db, holder: TokenHolder, page: PageInput): Promise<Token[]> {
  let query = db
    .selectFrom('identity_token')
    .selectAll()
    .where('user_id', '=', holder.userId)
    .where(isBelow(holder))
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
  if (page.cursor !== undefined) query = query.where('id', '<', decodeCursor(page.cursor, 1)[0] ?? '')
  return (await query.execute()).map(tokenOf)
}

/** Deletes a token and those made with it. */
export async function deleteToken(db: Db, holder: TokenHolder, id: string): Promise<boolean> {
  const result = await db
    .deleteFrom('identity_token')
    .where('id', '=', id)
    .where('user_id', '=', holder.userId)
    .where(isBelow(holder))
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}

function isBelow({ onlyBelow }: TokenHolder): RawBuilder<SqlBool> {
  if (onlyBelow === undefined) return sql<SqlBool>`true`
  return sql<SqlBool>`id in (
    with recursive family as (
      select ${onlyBelow}::text as id
      union select made.id from identity_token made join family on made.made_with = family.id
    ) select id from family)`
}

export async function replaceFirstRun(db: Db, secretHash: string, expiresAt: Date): Promise<void> {
  await db.deleteFrom('identity_first_run').execute()
  await db
    .insertInto('identity_first_run')
    .values({ secret_hash: secretHash, expires_at: expiresAt })
    .execute()
}

/** Uses up the first-run token; true once. */
export async function takeFirstRun(db: Db, secretHash: string, now: Date): Promise<boolean> {
  const result = await db
    .deleteFrom('identity_first_run')
    .where('secret_hash', '=', secretHash)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}

function userOf(row: UserTable): User {
  return {
    id: row.id,
    name: row.name,
    displayName: row.display_name,
    platformRoles: row.platform_roles,
    disabled: row.disabled,
    createdAt: row.created_at,
  }
}

function tokenOf(row: TokenTable): Token {
  return {
    id: row.id,
    userId: row.user_id,
    organizationId: row.organization_id,
    name: row.name,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    usedAt: row.used_at,
    madeWith: row.made_with,
  }
}
