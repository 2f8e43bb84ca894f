import type * as views from '@slipway/contract'
import { contract } from '@slipway/contract'
import { pageOf } from '@slipway/kit'

import type { Routes } from '../../http/index.ts'
import type { ChainedEvent } from './model.ts'
import * as queries from './queries.ts'
import { verifyChain } from './service.ts'

export function auditRoutes(routes: Routes): void {
  routes.on(contract.listAuditEvents, async ({ query }, ctx) =>
    pageOf(await queries.listEvents(ctx.db, query), query.limit, eventView, (one) => [one.id]),
  )
  routes.on(contract.listOrganizationAuditEvents, async ({ params, query }, ctx) =>
    pageOf(
      await queries.listEvents(ctx.db, { ...query, chain: params.organization }),
      query.limit,
      eventView,
      (one) => [one.id],
    ),
  )
  routes.on(contract.verifyAudit, async ({ params }, ctx) => {
    const { events, brokenAt, headHash } = await verifyChain(ctx, ctx.db, params.chain)
    return { chain: params.chain, events, intact: brokenAt === null, brokenAt, headHash }
  })
}

function eventView(event: ChainedEvent): views.AuditEvent {
  return { ...event, at: event.at.toISOString(), detail: { ...event.detail } }
}
