/* How a Release begins: a new one, the same once more, or the way back to a kept one. */
import { createHash } from 'node:crypto'

import { Plan, type WorkloadTemplate } from '@slipway/contract'
import { canonicalJson, newSecret } from '@slipway/kit'

import type { Ctx } from '../../context.ts'
import { wake } from '../../control/index.ts'
import { found, httpErrors } from '../../http/errors.ts'
import type { Db } from '../../tables.ts'
import { changeableWorkload, WORKLOAD_RECONCILER, type Workload } from '../app/index.ts'
import type { ClusterConnection } from '../fleet/index.ts'
import { releaseErrors } from './errors.ts'
import { countedProcessOf, KEPT_RELEASES, noCounts, routedProcessOf, type Release } from './model.ts'
import { emptyBatchOf, problemOfPlan, settleBatches, type PlanProblem } from './batches.ts'
import { countsOfReturn, type SettledCounts } from './counts.ts'
import * as queries from './queries.ts'
import { record } from './journal.ts'
import { countsFor, servingDemand, refuseUnknownProcesses } from './scale.ts'
import { goBack } from './service.ts'
import { pooled, pooledAgain, settleTemplate, type SettlePool } from './settle.ts'

/** An Image as a release takes it. */
export type ReleasableImage = {
  /** `<repository>@<digest>` */
  readonly reference: string
  readonly template: WorkloadTemplate
}

type NewRelease = {
  readonly workload: Workload
  readonly image: ReleasableImage
  readonly configRevision: number
  readonly plan: Plan
  readonly nonce: string
  readonly fromId: string | null
  readonly hasRouter: boolean
  readonly counts: SettledCounts
}

const defaultPlan: Plan = Plan.parse({ batches: [{ percent: 100 }] })

export type StartInput = {
  readonly workloadId: string
  readonly image: ReleasableImage
  readonly plan: Plan | undefined
  readonly instances: Readonly<Record<string, number>> | undefined
  readonly connection: Pick<ClusterConnection, 'gateway'>
  readonly settlePool: SettlePool
}

/** Starts releasing an Image with the Workload's current variables. Only one Release of a Workload is under way at a time. */
export async function startRelease(ctx: Ctx, input: StartInput): Promise<Release> {
  const workload = await changeableWorkload(ctx, input.workloadId)
  const placed = await settleTemplate(ctx.db, workload, input.image.template)
  const template = await pooled(ctx, input.settlePool, { workload, template: placed })
  refuseUnknownProcesses(template, Object.keys(input.instances ?? {}))
  return insertNew(ctx, {
    workload,
    counts: await countsFor(ctx, workload, { template, asked: input.instances ?? {} }),
    image: { reference: input.image.reference, template },
    configRevision: workload.configRevision,
    plan: input.plan ?? defaultPlan,
    nonce: '',
    fromId: null,
    hasRouter: input.connection.gateway !== undefined,
  })
}

async function insertNew(ctx: Ctx, input: NewRelease): Promise<Release> {
  const { workload, image, plan } = input
  const routes = input.hasRouter && routedProcessOf(image.template) !== undefined
  refuseUnroutable(plan, image.template, input.hasRouter)
  const draft = {
    image: image.reference,
    configRevision: input.configRevision,
    template: image.template,
    nonce: input.nonce,
    hash: '',
  }
  const demand = input.counts.instances[countedProcessOf(image.template)] ?? 0
  const batches = settleBatches(plan, demand, routes)
  const problem = problemOfPlan(plan, batches)
  if (problem !== undefined) throw refusalOf(problem)
  const head = await queries.findHead(ctx.db, workload.id)
  const release: Release = {
    ...draft,
    id: ctx.newId('rel'),
    organizationId: workload.organizationId,
    projectId: workload.projectId,
    workloadId: workload.id,
    number: (await queries.lastNumber(ctx.db, workload.id)) + 1,
    hash: hashOf(draft),
    plan,
    batches,
    fromId: input.fromId,
    previousId: head?.servingId ?? null,
    state: 'Queued',
    heldFrom: null,
    goal: 'forward',
    paused: false,
    batch: 0,
    approvedBatch: -1,
    ...input.counts,
    demand,
    oldDemand: await servingDemand(ctx.db, workload),
    reserve: 'full',
    probesPassed: 0,
    weight: 0,
    counts: noCounts,
    reason: null,
    served: false,
    pinned: false,
    stateSince: ctx.now,
    batchSince: ctx.now,
    generation: 1,
    createdBy: ctx.account.name,
    createdAt: ctx.now,
    endedAt: null,
  }
  await queries.insertRelease(ctx.db, release, await queries.findActive(ctx.db, workload.id))
  await record(ctx, release, 'created', { image: release.image, configRevision: release.configRevision })
  await recordCounts(ctx, release)
  const { number, instances } = release
  ctx.note({
    detail: { release: release.id, number, image: release.image, instances, from: input.fromId },
  })
  await wake(ctx.db, WORKLOAD_RECONCILER, workload.id)
  return release
}

function refusalOf(problem: PlanProblem): Error {
  if (problem.kind === 'backwards') return releaseErrors.release_batch_backwards({ batch: problem.batch })
  if (problem.kind === 'reserved header') return releaseErrors.release_header_reserved()
  const { batch, write } = problem
  return releaseErrors.release_batch_empty({ batch, before: batch - 1, write })
}

/** What people may not expect of the counts is said at the start. */
async function recordCounts(ctx: Ctx, release: Release): Promise<void> {
  const { demand, batches } = release
  const empty = emptyBatchOf(batches)
  if (demand === 0) await record(ctx, release, 'starts_nothing', {})
  else if (empty !== undefined)
    await record(ctx, release, 'batch_empty', { empty, before: empty - 1, instances: demand })
}

function refuseUnroutable(plan: Plan, template: WorkloadTemplate, hasRouter: boolean): void {
  if (!plan.batches.some((batch) => batch.weight !== undefined || batch.header !== undefined)) return
  if (!hasRouter) throw releaseErrors.release_router_needed()
  if (routedProcessOf(template) === undefined) throw releaseErrors.release_no_web()
}

/** Eight characters that name a version: the same Image, variables, shape and nonce give the same ones. */
function hashOf(version: {
  readonly image: string
  readonly configRevision: number
  readonly template: WorkloadTemplate
  readonly nonce: string
}): string {
  const { image, configRevision, template, nonce } = version
  return createHash('sha256')
    .update(canonicalJson({ image, configRevision, template, nonce }))
    .digest('hex')
    .slice(0, 8)
}

/** The same Image and variables with fresh Instances: a new nonce makes it another version. */
export async function redeploy(
  ctx: Ctx,
  id: string,
  { connection, settlePool }: Pick<StartInput, 'connection' | 'settlePool'>,
): Promise<Release> {
  const release = found(await queries.findRelease(ctx.db, id))
  const workload = await changeableWorkload(ctx, release.workloadId)
  const template = await pooled(ctx, settlePool, { workload, template: release.template })
  return insertNew(ctx, {
    workload,
    counts: await countsFor(ctx, workload, { template, asked: {} }),
    image: { reference: release.image, template },
    configRevision: release.configRevision,
    plan: release.plan,
    nonce: newSecret(9),
    fromId: null,
    hasRouter: connection.gateway !== undefined,
  })
}

export type RollbackInput = {
  readonly workloadId: string
  readonly releaseId: string | undefined
  readonly keepConfiguration: boolean
  readonly connection: Pick<ClusterConnection, 'gateway'>
  readonly settlePool: SettlePool
}

/**
 * Returns to a kept Release without a build. While a Release is under way and the target is the old version, that one rolls
 * back; otherwise a new Release finds the kept version's Deployment, running within T or made anew.
 */
export async function rollBack(ctx: Ctx, input: RollbackInput): Promise<Release> {
  const workload = await changeableWorkload(ctx, input.workloadId)
  const head = await queries.findHead(ctx.db, workload.id)
  const active = await queries.findActive(ctx.db, workload.id)
  if (active) {
    const isOld = input.releaseId === undefined || input.releaseId === head?.servingId
    if (!isOld) throw releaseErrors.release_in_progress({ number: active.number })
    return goBack(ctx, active.id, 'rollback')
  }
  const target = await rollbackTarget(ctx.db, workload, {
    wanted: input.releaseId,
    servingId: head?.servingId ?? null,
  })
  const template = await pooledAgain(ctx, input.settlePool, { workload, template: target.template })
  const configRevision = input.keepConfiguration ? workload.configRevision : target.configRevision
  return insertNew(ctx, {
    workload,
    counts: countsOfReturn(target.template, workload.instances, target.instances),
    image: { reference: target.image, template },
    configRevision,
    // It served, so one answer through the route is proof enough; the probe knows the path that this version has.
    // The way back is not kept waiting for the room that keeping the newer version whole would take.
    plan: { ...defaultPlan, capacity: 'lower', probe: { ...target.plan.probe, requests: 1 } },
    nonce: target.nonce,
    fromId: target.id,
    hasRouter: input.connection.gateway !== undefined,
  })
}

async function rollbackTarget(
  db: Db,
  workload: Workload,
  { wanted, servingId }: { readonly wanted: string | undefined; readonly servingId: string | null },
): Promise<Release> {
  const target =
    wanted === undefined ? await previousVersion(db, servingId) : await queries.findRelease(db, wanted)
  if (!target && wanted === undefined) throw releaseErrors.release_nothing_before()
  if (!target || target.workloadId !== workload.id) throw httpErrors.not_found()
  if (!(await queries.keptIds(db, workload.id)).has(target.id))
    throw releaseErrors.release_not_kept({ number: target.number })
  if (!target.served) throw releaseErrors.release_not_served({ number: target.number })
  return target
}

/** The last Release before the serving one that ran another version: releasing the same one again makes no step to return to. */
async function previousVersion(db: Db, servingId: string | null): Promise<Release | undefined> {
  const serving = servingId === null ? undefined : await queries.findRelease(db, servingId)
  let before = serving
  for (let steps = 0; before && steps < KEPT_RELEASES; steps += 1) {
    if (before.hash !== serving?.hash) return before
    before = before.previousId === null ? undefined : await queries.findRelease(db, before.previousId)
  }
  return undefined
}
