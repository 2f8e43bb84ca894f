import type * as views from '@slipway/contract'
import { contract } from '@slipway/contract'
import { pageOf } from '@slipway/kit'

import { answer, type Answer, type Routes } from '../../http/index.ts'
import { httpErrors } from '../../http/errors.ts'
import { membershipsOf, permissionsAt } from '../access/index.ts'
import { deviceRoutes } from './device/routes.ts'
import * as queries from './queries.ts'
import * as service from './service.ts'
import { identityErrors } from './errors.ts'
import { sessionView, tokenView, userView } from './views.ts'

/** Failed or tried sign-ins per minute for one name from one address. */
const SIGN_INS_PER_MINUTE = 5

export function identityRoutes(routes: Routes): void {
  signInRoutes(routes)
  accountRoutes(routes)
  userRoutes(routes)
  tokenRoutes(routes)
  deviceRoutes(routes)
}

function signInRoutes(routes: Routes): void {
  routes.on(contract.getFirstRun, async (_, ctx) => ({ open: !(await queries.hasOperator(ctx.db)) }))
  routes.onOutside(contract.completeFirstRun, async ({ body }, _, commit) => {
    const passwordHash = await service.hashPassword(body.password)
    return commit(async (ctx) =>
      sessionAnswer(await service.completeFirstRun(ctx, body, passwordHash), body.delivery),
    )
  })
  routes.onOutside(contract.signIn, async ({ body }, ctx, commit) => {
    const allowance = await ctx.countHit(`sign-in:${body.name}:${ctx.address}`, SIGN_INS_PER_MINUTE)
    if (!allowance.allowed)
      throw identityErrors.account_locked(
        { seconds: allowance.retryAfterSeconds },
        { retryAfterSeconds: allowance.retryAfterSeconds },
      )
    const user = await service.verifyCredentials(ctx, body.name, body.password)
    return commit(async (inner) => sessionAnswer(await service.openSession(inner, user), body.delivery))
  })
  routes.on(contract.signOut, async (_, ctx) => {
    if (ctx.account.via === 'session') await queries.deleteSession(ctx.db, ctx.account.proof)
    return answer(undefined, { clearSession: true })
  })
  routes.on(contract.signOutEverywhere, async (_, ctx) => {
    // A token has less power than the person who made it, and must not lock that person out.
    if (ctx.account.via !== 'session') throw identityErrors.session_needed()
    await queries.deleteSessions(ctx.db, ctx.account.id)
    return answer(undefined, { clearSession: true })
  })
}

function accountRoutes(routes: Routes): void {
  routes.on(contract.whoami, async (_, ctx) => {
    const user = await queries.findUser(ctx.db, ctx.account.id)
    if (!user || ctx.account.via === 'none') throw httpErrors.not_signed_in()
    return {
      user: userView(user),
      via: ctx.account.via,
      // Those that count for this request: a narrowed token says nothing of what is outside.
      memberships: (await membershipsOf(ctx.db, user.id))
        .filter((one) => permissionsAt(ctx.account.access, one).size > 0)
        .map(({ organizationId, projectId, role }) => ({ organizationId, projectId, role })),
    }
  })
  routes.onOutside(contract.changePassword, async ({ body }, ctx, commit) => {
    if (ctx.account.via !== 'session') throw identityErrors.session_needed()
    const change = await service.changePassword(ctx, body)
    return commit(change)
  })
}

function userRoutes(routes: Routes): void {
  routes.on(contract.listUsers, async ({ query }, ctx) =>
    pageOf(await queries.listUsers(ctx.db, query), query.limit, userView, (one) => [one.name]),
  )
  routes.onOutside(contract.createUser, async ({ body: { password, ...rest } }, _, commit) => {
    const passwordHash = await service.hashPassword(password)
    return commit(async (ctx) => userView(await service.insertUser(ctx, { ...rest, passwordHash })))
  })
  routes.onOutside(contract.updateUser, async ({ params, body: { password, ...rest } }, _, commit) => {
    const passwordHash = password === undefined ? undefined : await service.hashPassword(password)
    return commit(async (ctx) =>
      userView(await service.updateUser(ctx, params.user, { ...rest, passwordHash })),
    )
  })
}

function tokenRoutes(routes: Routes): void {
  routes.on(contract.listTokens, async ({ query }, ctx) =>
    pageOf(
      await queries.listTokens(ctx.db, service.tokenHolderOf(ctx), query),
      query.limit,
      tokenView,
      (one) => [one.id],
    ),
  )
  routes.on(contract.createToken, async ({ body }, ctx) => {
    const organizationId = body.organizationId ?? null
    // A token for an Organization the caller cannot see would tell that it exists.
    if (
      organizationId !== null &&
      permissionsAt(ctx.account.access, { organizationId, projectId: null }).size === 0
    )
      throw httpErrors.not_found()
    const { token, secret } = await service.createToken(ctx, { ...body, organizationId })
    return { ...tokenView(token), secret }
  })
  routes.on(contract.deleteToken, async ({ params }, ctx) => service.deleteToken(ctx, params.token))
}

function sessionAnswer(session: service.OpenedSession, delivery: 'cookie' | 'bearer'): Answer<views.Session> {
  const view = sessionView(session)
  if (delivery === 'bearer') return answer({ ...view, secret: session.secret }, {})
  return answer(view, { session: { secret: session.secret, expiresAt: session.expiresAt } })
}
