import { z } from 'zod'

import {
  DisplayName,
  idOf,
  Nothing,
  OrganizationId,
  PageQuery,
  pageOf,
  PartOfName,
  SecretText,
  Timestamp,
  UserId,
} from './common.ts'
import { endpoint } from './endpoint.ts'

export const UserName = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$/u,
    'lower-case letters, digits, dots, hyphens and underscores are expected, at most 64, with a letter or digit at both ends',
  )
  .meta({ description: 'Sign-in name: lower-case letters, digits, dots, hyphens and underscores' })

/** At least 10 characters; common passwords are refused by the server. */
export const Password = z.string().min(10).max(256)

export const PlatformRole = z.enum(['operator', 'auditor'])
export type PlatformRole = z.infer<typeof PlatformRole>

export const User = z.strictObject({
  id: UserId,
  name: UserName,
  displayName: DisplayName,
  platformRoles: z.array(PlatformRole),
  disabled: z.boolean(),
  createdAt: Timestamp,
})
export type User = z.infer<typeof User>

export const TokenId = idOf('tok')
export const Token = z.strictObject({
  id: TokenId,
  name: DisplayName,
  userId: UserId,
  organizationId: OrganizationId.nullable(),
  createdAt: Timestamp,
  expiresAt: Timestamp,
  lastUsedAt: Timestamp.nullable(),
})
export type Token = z.infer<typeof Token>

/** `secret` is shown once: a browser gets it as a cookie instead and sees null. */
export const Session = z.strictObject({
  user: User,
  secret: z.string().nullable(),
  expiresAt: Timestamp,
})
export type Session = z.infer<typeof Session>

export const Account = z.strictObject({
  user: User,
  via: z.enum(['session', 'token']),
  memberships: z.array(
    z.strictObject({ organizationId: OrganizationId, projectId: z.string().nullable(), role: z.string() }),
  ),
})
export type Account = z.infer<typeof Account>

/** `cookie`: for browsers, the secret goes into a cookie. `bearer`: for programs, it stands in the answer. */
const Delivery = z.enum(['cookie', 'bearer']).default('cookie')

export const identity = {
  getFirstRun: endpoint({
    method: 'GET',
    path: '/v1/first-run',
    auth: 'none',
    permission: 'public',
    rate: 'login',
    summary: 'Tell whether the installation still waits for its first administrator',
    status: 200,
    response: z.strictObject({ open: z.boolean() }),
  }),
  completeFirstRun: endpoint({
    method: 'POST',
    path: '/v1/first-run',
    auth: 'none',
    permission: 'public',
    rate: 'login',
    audit: 'first-run.complete',
    summary: 'Turn the first-run token into the first administrator and sign in',
    body: z.strictObject({
      token: SecretText,
      name: UserName,
      displayName: DisplayName.optional(),
      password: Password,
      delivery: Delivery,
    }),
    status: 201,
    response: Session,
    secretResponse: true,
  }),
  signIn: endpoint({
    method: 'POST',
    path: '/v1/sessions',
    auth: 'none',
    permission: 'public',
    rate: 'login',
    audit: 'session.create',
    summary: 'Sign in with name and password',
    body: z.strictObject({ name: z.string().max(64), password: z.string().max(256), delivery: Delivery }),
    status: 201,
    response: Session,
    secretResponse: true,
  }),
  signOut: endpoint({
    method: 'DELETE',
    path: '/v1/sessions/current',
    auth: 'account',
    permission: 'self',
    rate: 'write',
    audit: 'session.delete',
    summary: 'End the session this request is made with',
    status: 204,
    response: Nothing,
  }),
  signOutEverywhere: endpoint({
    method: 'DELETE',
    path: '/v1/sessions',
    auth: 'account',
    permission: 'self',
    rate: 'write',
    audit: 'session.delete-all',
    summary: "End every session of the caller's user",
    description: 'Takes a session: a token does not lock its user out.',
    status: 204,
    response: Nothing,
  }),
  whoami: endpoint({
    method: 'GET',
    path: '/v1/account',
    auth: 'account',
    permission: 'self',
    rate: 'read',
    summary: 'Tell who the caller is',
    status: 200,
    response: Account,
  }),
  changePassword: endpoint({
    method: 'PUT',
    path: '/v1/account/password',
    auth: 'account',
    permission: 'self',
    rate: 'login',
    audit: 'password.change',
    summary: 'Change the own password; every other session ends',
    body: z.strictObject({ currentPassword: z.string().max(256), newPassword: Password }),
    status: 204,
    response: Nothing,
  }),
  listUsers: endpoint({
    method: 'GET',
    path: '/v1/users',
    auth: 'account',
    permission: 'user:read',
    scope: 'installation',
    rate: 'read',
    summary: 'List the users of the installation',
    query: PageQuery.extend({ name: UserName.optional(), text: PartOfName.optional() }),
    status: 200,
    response: pageOf(User),
  }),
  createUser: endpoint({
    method: 'POST',
    path: '/v1/users',
    auth: 'account',
    permission: 'user:create',
    scope: 'installation',
    rate: 'write',
    audit: 'user.create',
    summary: 'Create a user with a first password',
    body: z.strictObject({
      name: UserName,
      displayName: DisplayName.optional(),
      password: Password,
      platformRoles: z.array(PlatformRole).max(2).default([]),
    }),
    status: 201,
    response: User,
  }),
  updateUser: endpoint({
    method: 'PATCH',
    path: '/v1/users/:user',
    auth: 'account',
    permission: 'user:update',
    scope: 'installation',
    rate: 'write',
    audit: 'user.update',
    summary: 'Change a user: name for people, platform roles, disabled (which ends their sessions), password',
    params: z.strictObject({ user: UserId }),
    body: z.strictObject({
      displayName: DisplayName.optional(),
      platformRoles: z.array(PlatformRole).max(2).optional(),
      disabled: z.boolean().optional(),
      password: Password.optional(),
    }),
    status: 200,
    response: User,
  }),
  listTokens: endpoint({
    method: 'GET',
    path: '/v1/tokens',
    auth: 'account',
    permission: 'self',
    rate: 'read',
    summary: "List the caller's API tokens",
    description: 'Asked with a token: that one and those made with it.',
    query: PageQuery,
    status: 200,
    response: pageOf(Token),
  }),
  createToken: endpoint({
    method: 'POST',
    path: '/v1/tokens',
    auth: 'account',
    permission: 'self',
    rate: 'write',
    audit: 'token.create',
    summary:
      'Create an API token; its secret is shown once and it never has more power than its user has now',
    description:
      'Made with a token, it reaches no further than that one, ends no later, and is revoked together with it.',
    body: z.strictObject({
      name: DisplayName,
      /** Narrows the token to this Organization and what is below it. */
      organizationId: OrganizationId.optional(),
      expiresInDays: z.number().int().min(1).max(366).default(90),
    }),
    status: 201,
    response: Token.extend({ secret: z.string() }),
    secretResponse: true,
  }),
  deleteToken: endpoint({
    method: 'DELETE',
    path: '/v1/tokens/:token',
    auth: 'account',
    permission: 'self',
    rate: 'write',
    audit: 'token.delete',
    summary: 'Revoke an API token of the caller, and those made with it',
    description: 'A token revokes itself and those made with it, and none of the others of its user.',
    params: z.strictObject({ token: TokenId }),
    status: 204,
    response: Nothing,
  }),
} as const
