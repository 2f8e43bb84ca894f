import type * as views from '@slipway/contract'

import type { Token, User } from './model.ts'
import type { OpenedSession } from './service.ts'

/** Without its secret. */
export function sessionView({ user, expiresAt }: OpenedSession): views.Session {
  return { user: userView(user), secret: null, expiresAt: expiresAt.toISOString() }
}

export function userView(user: User): views.User {
  return {
    id: user.id,
    name: user.name,
    displayName: user.displayName,
    platformRoles: [...user.platformRoles],
    disabled: user.disabled,
    createdAt: user.createdAt.toISOString(),
  }
}

export function tokenView(token: Token): views.Token {
  return {
    id: token.id,
    name: token.name,
    userId: token.userId,
    organizationId: token.organizationId,
    createdAt: token.createdAt.toISOString(),
    expiresAt: token.expiresAt.toISOString(),
    lastUsedAt: token.usedAt?.toISOString() ?? null,
  }
}
