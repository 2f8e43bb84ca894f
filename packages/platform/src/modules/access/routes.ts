import type * as views from '@slipway/contract'
import { contract, type InputOf } from '@slipway/contract'
import { pageOf } from '@slipway/kit'

import { found, httpErrors } from '../../http/errors.ts'
import type { Routes } from '../../http/index.ts'
import type { Db } from '../../tables.ts'
import { accessErrors } from './errors.ts'
import type { Membership, Place } from './model.ts'
import { holdingsAt, permissionsAt } from './plan.ts'
import * as queries from './queries.ts'
import * as service from './service.ts'

const placeScopes = ['organization', 'project', 'environment', 'application', 'workload'] as const
type PlaceScope = (typeof placeScopes)[number]

/** What the routes need of modules that build on this one. */
export type AccessPorts = {
  /** Names of those users that exist, by id. */
  readonly userNames: (db: Db, userIds: readonly string[]) => Promise<ReadonlyMap<string, string>>
  readonly findProjectOrganization: (db: Db, projectId: string) => Promise<string | undefined>
  /** Where an object belongs; undefined when the caller may not know of it. */
  readonly findPlace: (db: Db, scope: PlaceScope, id: string) => Promise<Place | undefined>
}

export function accessRoutes(routes: Routes, ports: AccessPorts): void {
  routes.on(contract.listPermissions, async ({ query }, ctx) => {
    const place = found(await placeOf(ctx.db, ports, query))
    const { access } = ctx.account
    // What one may not see and what does not exist look the same.
    if (place.organizationId !== null && permissionsAt(access, place).size === 0) throw httpErrors.not_found()
    return { items: holdingsAt(access, place) }
  })
  routes.on(contract.listMembers, async ({ params, query }, ctx) => {
    const memberships = await queries.listMemberships(ctx.db, params.organization, query)
    const names = await ports.userNames(
      ctx.db,
      memberships.map((one) => one.userId),
    )
    return pageOf(
      memberships,
      query.limit,
      (one) => memberView(one, names),
      (one) => [one.userId, one.projectId ?? ''],
    )
  })
  routes.on(contract.setMember, async ({ params, body }, ctx) => {
    const names = await ports.userNames(ctx.db, [params.user])
    if (names.size === 0) throw accessErrors.user_unknown()
    const projectId = body.projectId ?? null
    const projectOrganizationId =
      projectId === null ? undefined : await ports.findProjectOrganization(ctx.db, projectId)
    const membership = await service.setMember(ctx, {
      userId: params.user,
      organizationId: params.organization,
      projectId,
      role: body.role,
      projectOrganizationId: projectOrganizationId ?? null,
    })
    return memberView(membership, names)
  })
  routes.on(contract.removeMember, async ({ params, query }, ctx) =>
    service.removeMember(ctx, {
      userId: params.user,
      organizationId: params.organization,
      projectId: query.projectId ?? null,
    }),
  )
}

type AskedPlace = InputOf<typeof contract.listPermissions>['query']

async function placeOf(db: Db, ports: AccessPorts, asked: AskedPlace): Promise<Place | undefined> {
  for (const scope of placeScopes) {
    const id = asked[scope]
    if (id !== undefined) return ports.findPlace(db, scope, id)
  }
  return { organizationId: null, projectId: null }
}

function memberView(membership: Membership, names: ReadonlyMap<string, string>): views.Member {
  return { ...membership, userName: names.get(membership.userId) ?? '' }
}
