/* What the use cases write into the journal of a Release. */
import type { Ctx } from '../../context.ts'
import type { Release } from './model.ts'
import { paramsOf } from './moves.ts'
import * as queries from './queries.ts'

export async function record(
  ctx: Ctx,
  release: Release,
  code: string,
  params: Readonly<Record<string, string | number | boolean>> = {},
): Promise<void> {
  await queries.appendReleaseEvent(ctx.db, {
    releaseId: release.id,
    organizationId: release.organizationId,
    at: ctx.now,
    kind: 'command',
    batch: release.batch,
    actor: ctx.account.name,
    code,
    params,
  })
}

export async function recordMove(
  ctx: Ctx,
  { id, organizationId, batch, state, reason }: Release,
): Promise<void> {
  await queries.appendReleaseEvent(ctx.db, {
    releaseId: id,
    organizationId,
    at: ctx.now,
    kind: 'state',
    batch,
    actor: 'system',
    code: state,
    params: paramsOf(reason),
  })
}
