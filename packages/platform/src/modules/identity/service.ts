import { createHash } from 'node:crypto'

import type { PlatformRole } from '@slipway/contract'
import { isForeignKeyViolation, isUniqueViolation } from '@slipway/db'
import { DAY_MS, newSecret } from '@slipway/kit'

import type { Ctx, RequestContext } from '../../context.ts'
import { found, httpErrors } from '../../http/errors.ts'
import type { Db } from '../../tables.ts'
import { isCommonPassword } from './common-passwords.ts'
import { identityErrors } from './errors.ts'
import {
  FIRST_RUN_MS,
  FIRST_RUN_PREFIX,
  SESSION_IDLE_MS,
  SESSION_MAX_MS,
  SESSION_PREFIX,
  SESSIONS_PER_USER_MAX,
  TOKEN_PREFIX,
  USED_EVERY_MS,
  type Session,
  type Token,
  type User,
} from './model.ts'
import { passwordsOf } from './password.ts'
import * as queries from './queries.ts'

/** One for the process: it bounds how many hashes run at once. */
const passwords = passwordsOf()

/** A session with the secret that its holder shows once and for all. */
export type OpenedSession = { readonly user: User; readonly secret: string; readonly expiresAt: Date }

/** SHA-256: secrets are random and long, so that a slow hash would buy nothing. */
export function hashOfSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

export type Caller = {
  readonly user: User
  readonly via: 'session' | 'token'
  readonly proof: string
  readonly within: string | null
}

/** Who a bearer secret or a session cookie belongs to; undefined when it is unknown, expired or its user disabled. */
export async function findCaller(db: Db, secret: string, now: Date): Promise<Caller | undefined> {
  const hash = hashOfSecret(secret)
  if (secret.startsWith(TOKEN_PREFIX)) {
    const found = await queries.findToken(db, hash, now)
    if (!found) return undefined
    if (isStale(found.token.usedAt, now)) await queries.touchToken(db, found.token.id, now)
    return { user: found.user, via: 'token', proof: found.token.id, within: found.token.organizationId }
  }
  const found = await queries.findSession(db, hash, now, new Date(now.getTime() - SESSION_IDLE_MS))
  if (!found) return undefined
  if (isStale(found.usedAt, now)) await queries.touchSession(db, hash, now)
  return { user: found.user, via: 'session', proof: hash, within: null }
}

/** The same caller again, by what proved them: a session's hash or a token's id. */
export async function findCallerByProof(
  db: Db,
  via: Caller['via'],
  proof: string,
  now: Date,
): Promise<Caller | undefined> {
  if (via === 'session') {
    const found = await queries.findSession(db, proof, now, new Date(now.getTime() - SESSION_IDLE_MS))
    return found && { user: found.user, via, proof, within: null }
  }
  const found = await queries.findTokenById(db, proof, now)
  return found && { user: found.user, via, proof, within: found.token.organizationId }
}

function isStale(usedAt: Date | null, now: Date): boolean {
  return usedAt === null || now.getTime() - usedAt.getTime() >= USED_EVERY_MS
}

/** Makes a new first-run token while there is no operator; undefined when there is one. */
export async function renewFirstRun(db: Db, now: Date): Promise<string | undefined> {
  if (await queries.hasOperator(db)) return undefined
  const secret = FIRST_RUN_PREFIX + newSecret()
  await queries.replaceFirstRun(db, hashOfSecret(secret), new Date(now.getTime() + FIRST_RUN_MS))
  return secret
}

export type FirstRun = {
  readonly token: string
  readonly name: string
  readonly displayName?: string | undefined
  readonly password: string
}

/** Turns the first-run token into the first operator. The token works once; a refusal leaves it as it was. */
export async function completeFirstRun(
  ctx: Ctx,
  input: FirstRun,
  passwordHash: string,
): Promise<OpenedSession> {
  if (await queries.hasOperator(ctx.db)) throw identityErrors.first_run_closed()
  if (!(await queries.takeFirstRun(ctx.db, hashOfSecret(input.token), ctx.now)))
    throw identityErrors.first_run_token_wrong()
  const user = await insertUser(ctx, { ...input, platformRoles: ['operator'], passwordHash })
  return openSession(ctx, user)
}

/** @throws {AppError} `password_weak` */
export async function hashPassword(password: string): Promise<string> {
  if (isCommonPassword(password)) throw identityErrors.password_weak()
  return passwords.hash(password)
}

/** The user whose name and password these are. Takes as long for unknown names. */
export async function verifyCredentials(ctx: RequestContext, name: string, password: string): Promise<User> {
  const found = await ctx.read((db) => queries.findCredentials(db, name))
  const right = await passwords.verify(password, found?.passwordHash)
  if (!right || !found || found.user.disabled) throw identityErrors.credentials_wrong()
  return found.user
}

export async function openSession(ctx: Ctx, user: User): Promise<OpenedSession> {
  const secret = SESSION_PREFIX + newSecret()
  const session: Session = {
    secretHash: hashOfSecret(secret),
    userId: user.id,
    createdAt: ctx.now,
    usedAt: ctx.now,
    expiresAt: new Date(ctx.now.getTime() + SESSION_MAX_MS),
  }
  await queries.trimSessions(ctx.db, user.id, ctx.now, SESSIONS_PER_USER_MAX - 1)
  await queries.insertSession(ctx.db, session)
  ctx.note({ target: `user:${user.id}`, detail: { name: user.name } })
  return { user, secret, expiresAt: session.expiresAt }
}

export async function changePassword(
  ctx: RequestContext,
  input: { readonly currentPassword: string; readonly newPassword: string },
): Promise<(ctx: Ctx) => Promise<void>> {
  const stored = await ctx.read((db) => queries.findPasswordHash(db, ctx.account.id))
  if (!(await passwords.verify(input.currentPassword, stored))) throw identityErrors.credentials_wrong()
  if (input.currentPassword === input.newPassword) throw identityErrors.password_same()
  const passwordHash = await hashPassword(input.newPassword)
  return async (inner) => {
    await queries.updateUser(inner.db, inner.account.id, { passwordHash })
    await queries.deleteSessions(inner.db, inner.account.id, inner.account.proof)
    inner.note({ target: `user:${inner.account.id}` })
  }
}

type NewUser = {
  readonly name: string
  readonly displayName?: string | undefined
  readonly platformRoles: readonly PlatformRole[]
  readonly passwordHash: string
}

export async function insertUser(ctx: Ctx, input: NewUser): Promise<User> {
  const user: User = {
    id: ctx.newId('usr'),
    name: input.name,
    displayName: input.displayName ?? input.name,
    platformRoles: [...new Set(input.platformRoles)],
    disabled: false,
    createdAt: ctx.now,
  }
  try {
    await queries.insertUser(ctx.db, user, input.passwordHash)
  } catch (thrown) {
    if (isUniqueViolation(thrown))
      throw identityErrors.user_name_taken({ name: input.name }, { cause: thrown })
    throw thrown
  }
  ctx.note({ target: `user:${user.id}`, detail: { name: user.name, platformRoles: user.platformRoles } })
  return user
}

export async function updateUser(ctx: Ctx, id: string, change: queries.UserChange): Promise<User> {
  const before = await queries.findUser(ctx.db, id)
  if (!before) throw httpErrors.not_found()
  const losesPower =
    change.disabled === true ||
    (change.platformRoles !== undefined && !change.platformRoles.includes('operator'))
  if (losesPower && before.platformRoles.includes('operator')) {
    const operators = await queries.lockOperators(ctx.db)
    if (operators.length === 1 && operators[0] === id) throw identityErrors.user_last_operator()
  }
  const user = await queries.updateUser(ctx.db, id, change)
  if (!user) throw httpErrors.not_found()
  if (change.disabled === true || change.passwordHash !== undefined) await queries.deleteSessions(ctx.db, id)
  ctx.note({
    target: `user:${id}`,
    detail: {
      platformRoles: user.platformRoles,
      disabled: user.disabled,
      password: change.passwordHash !== undefined,
    },
  })
  return user
}

/** Makes a token. One made with a token is no wider than that one, does not outlive it, and goes when it is revoked. */
export async function createToken(
  ctx: Ctx,
  input: { readonly name: string; readonly organizationId: string | null; readonly expiresInDays: number },
): Promise<{ token: Token; secret: string }> {
  const maker =
    ctx.account.via === 'token'
      ? found(await queries.findTokenById(ctx.db, ctx.account.proof, ctx.now)).token
      : undefined
  const asked = ctx.now.getTime() + input.expiresInDays * DAY_MS
  const secret = TOKEN_PREFIX + newSecret()
  const token: Token = {
    id: ctx.newId('tok'),
    userId: ctx.account.id,
    // What the caller names was already found to be within what their own token reaches.
    organizationId: input.organizationId ?? maker?.organizationId ?? null,
    name: input.name,
    createdAt: ctx.now,
    expiresAt: new Date(Math.min(asked, maker?.expiresAt.getTime() ?? Infinity)),
    usedAt: null,
    madeWith: maker?.id ?? null,
  }
  try {
    await queries.insertToken(ctx.db, token, hashOfSecret(secret))
  } catch (thrown) {
    if (isForeignKeyViolation(thrown)) throw httpErrors.not_found(undefined, { cause: thrown })
    throw thrown
  }
  ctx.note({
    target: `token:${token.id}`,
    detail: { organization: token.organizationId, expiresAt: token.expiresAt.toISOString() },
  })
  return { token, secret }
}

/** A person who is signed in manages all their tokens; a token itself and those made with it. */
export function tokenHolderOf({ account }: Pick<Ctx, 'account'>): queries.TokenHolder {
  return { userId: account.id, onlyBelow: account.via === 'token' ? account.proof : undefined }
}

/** Revokes a token and those made with it. */
export async function deleteToken(ctx: Ctx, id: string): Promise<void> {
  if (!(await queries.deleteToken(ctx.db, tokenHolderOf(ctx), id))) throw identityErrors.token_unknown()
  ctx.note({ target: `token:${id}` })
}
