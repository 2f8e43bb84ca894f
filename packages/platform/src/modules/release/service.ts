import { createHash } from 'node:crypto'

import { Plan, type ReleaseDiff, type ReleaseState, type WorkloadTemplate } from '@slipway/contract'
import { canonicalJson, must, newSecret } from '@slipway/kit'

import type { Ctx } from '../../context.ts'
import { wake } from '../../control/index.ts'
import { found, httpErrors } from '../../http/errors.ts'
import type { Db } from '../../tables.ts'
import {
  changeableWorkload,
  findConfigRevision,
  findWorkload,
  openVariables,
  setInstances,
  WORKLOAD_RECONCILER,
  type Variable,
  type Workload,
} from '../app/index.ts'
import type { ClusterConnection } from '../fleet/index.ts'
import { diffTemplates, diffVariables } from './diff.ts'
import { releaseErrors } from './errors.ts'
import {
  countedProcessOf,
  floorOf,
  isEnded,
  isReturning,
  KEPT_RELEASES,
  noCounts,
  routedProcessOf,
  type Goal,
  type Release,
} from './model.ts'
import { problemOfPlan, reasonBefore, settleBatches } from './plan.ts'
import * as queries from './queries.ts'
import { demandOf } from './shape.ts'

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
}

const defaultPlan: Plan = Plan.parse({ batches: [{ percent: 100 }] })

export type StartInput = {
  readonly workloadId: string
  readonly image: ReleasableImage
  readonly plan: Plan | undefined
  readonly instances: Readonly<Record<string, number>> | undefined
  readonly connection: Pick<ClusterConnection, 'gateway'>
}

/** Starts releasing an Image with the Workload's current variables. Only one Release of a Workload is under way at a time. */
export async function startRelease(ctx: Ctx, input: StartInput): Promise<Release> {
  await changeableWorkload(ctx, input.workloadId)
  refuseUnknownProcesses(input.image.template, Object.keys(input.instances ?? {}))
  if (input.instances !== undefined) await setInstances(ctx, input.workloadId, input.instances)
  const workload = found(await findWorkload(ctx.db, input.workloadId))
  return insertNew(ctx, {
    workload,
    image: input.image,
    configRevision: workload.configRevision,
    plan: input.plan ?? defaultPlan,
    nonce: '',
    fromId: null,
    hasRouter: input.connection.gateway !== undefined,
  })
}

function refuseUnknownProcesses(template: WorkloadTemplate, names: readonly string[]): void {
  const unknown = names.find((name) => template.processes[name] === undefined)
  if (unknown !== undefined)
    throw releaseErrors.process_unknown({
      process: unknown,
      known: Object.keys(template.processes).join(', '),
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
  const demand = demandOf(draft, countedProcessOf(image.template), workload.instances)
  const batches = settleBatches(plan, demand, routes)
  const problem = problemOfPlan(plan, batches)
  if (problem !== undefined) throw releaseErrors.release_plan_invalid({ problem })
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
    demand,
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
  ctx.note({
    detail: { release: release.id, number: release.number, image: release.image, from: input.fromId },
  })
  await wake(ctx.db, WORKLOAD_RECONCILER, workload.id)
  return release
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

async function record(
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

/** Writes a command of a person into a Release that has not ended, and wakes the engine. */
async function command(
  ctx: Ctx,
  id: string,
  what: {
    readonly code: string
    readonly params?: Readonly<Record<string, string | number | boolean>>
    readonly change: (release: Release) => Partial<Release>
  },
): Promise<Release> {
  const release = await commandable(ctx, id)
  const written = await queries.advanceRelease(ctx.db, { ...release, ...what.change(release) })
  if (!written) throw httpErrors.generation_conflict()
  await record(ctx, written, what.code, what.params)
  ctx.note({ detail: { release: id, batch: release.batch, ...what.params } })
  await wake(ctx.db, WORKLOAD_RECONCILER, release.workloadId)
  return written
}

/** The Release, locked, unless it has ended. */
async function commandable(ctx: Ctx, id: string): Promise<Release> {
  const release = found(await queries.lockRelease(ctx.db, id))
  if (isEnded(release.state))
    throw releaseErrors.release_ended({ number: release.number, state: release.state })
  return release
}

function refuseOnTheWayBack(release: Release): void {
  if (release.goal !== 'forward' || isReturning(release))
    throw releaseErrors.release_going_back({ number: release.number })
}

export async function pauseRelease(ctx: Ctx, id: string): Promise<Release> {
  refuseOnTheWayBack(await commandable(ctx, id))
  return command(ctx, id, { code: 'paused', change: () => ({ paused: true }) })
}

/** Goes on, with a new deadline for the batch it is in; a way back that waits is tried again. */
export async function resumeRelease(ctx: Ctx, id: string): Promise<Release> {
  const held = await commandable(ctx, id)
  if (held.state === 'Held' && isReturning(held))
    return command(ctx, id, { code: 'resumed', change: (release) => returnAgain(ctx, release) })
  refuseOnTheWayBack(held)
  return command(ctx, id, {
    code: 'resumed',
    change: (release) => ({
      paused: false,
      batchSince: ctx.now,
      ...(release.state === 'Held' ? restart(ctx, release.heldFrom ?? 'Placing') : {}),
    }),
  })
}

function restart(ctx: Ctx, state: ReleaseState): Partial<Release> {
  return { state, heldFrom: null, reason: null, probesPassed: 0, stateSince: ctx.now, batchSince: ctx.now }
}

function returnAgain(ctx: Ctx, release: Release): Partial<Release> {
  return { ...restart(ctx, 'RollingBack'), reason: reasonBefore(release) }
}

export async function goBack(ctx: Ctx, id: string, goal: Exclude<Goal, 'forward'>): Promise<Release> {
  return command(ctx, id, {
    code: goal === 'abort' ? 'aborted' : 'rolled_back',
    change: (release) => {
      if (!isReturning(release)) return { goal, paused: false }
      return release.state === 'Held' ? returnAgain(ctx, release) : {}
    },
  })
}

/** Skips to the last batch; its gates still count. On the way back it keeps the new version where the old one cannot serve. */
export async function promoteRelease(ctx: Ctx, id: string): Promise<Release> {
  const promoted = await commandable(ctx, id)
  const { oldReady, oldWanted } = promoted.counts
  if (!isReturning(promoted) || oldReady >= floorOf(oldWanted)) refuseOnTheWayBack(promoted)
  return command(ctx, id, {
    code: 'promoted',
    change: (release) => ({
      ...restart(ctx, 'Placing'),
      goal: 'forward',
      paused: false,
      batch: release.batches.length - 1,
      approvedBatch: release.batches.length - 1,
    }),
  })
}

export async function approveRelease(
  ctx: Ctx,
  id: string,
  answer: { readonly approve: boolean; readonly batch: number; readonly comment: string },
): Promise<Release> {
  const release = await commandable(ctx, id)
  refuseOnTheWayBack(release)
  if (release.state !== 'WaitPerson' || release.batch !== answer.batch)
    throw releaseErrors.release_not_waiting({ number: release.number, batch: answer.batch })
  return command(ctx, id, {
    code: answer.approve ? 'approved' : 'rejected',
    params: { comment: answer.comment },
    change: () =>
      answer.approve
        ? { approvedBatch: answer.batch }
        : {
            goal: 'rollback',
            paused: false,
            reason: { code: 'rejected', params: { by: ctx.account.name, comment: answer.comment } },
          },
  })
}

/** The same Image and variables with fresh Instances: a new nonce makes it another version. */
export async function redeploy(
  ctx: Ctx,
  id: string,
  connection: Pick<ClusterConnection, 'gateway'>,
): Promise<Release> {
  const release = found(await queries.findRelease(ctx.db, id))
  const workload = await changeableWorkload(ctx, release.workloadId)
  return insertNew(ctx, {
    workload,
    image: { reference: release.image, template: release.template },
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
  const configRevision = input.keepConfiguration ? workload.configRevision : target.configRevision
  return insertNew(ctx, {
    workload,
    image: { reference: target.image, template: target.template },
    configRevision,
    // It served, so one answer through the route is proof enough; the probe knows the path that this version has.
    plan: { ...defaultPlan, probe: { ...target.plan.probe, requests: 1 } },
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

export async function pinRelease(ctx: Ctx, id: string, pinned: boolean): Promise<Release> {
  const release = found(await queries.lockRelease(ctx.db, id))
  const written = await queries.advanceRelease(ctx.db, { ...release, pinned })
  if (!written) throw httpErrors.generation_conflict()
  ctx.note({ detail: { release: id, pinned } })
  return written
}

export async function diffReleases(ctx: Ctx, id: string, withId: string | undefined): Promise<ReleaseDiff> {
  const after = found(await queries.findRelease(ctx.db, id))
  const otherId = withId ?? after.previousId
  const before = otherId === null ? undefined : found(await queries.findRelease(ctx.db, otherId))
  if (before && before.workloadId !== after.workloadId) throw httpErrors.not_found()
  return {
    from: before?.id ?? null,
    to: after.id,
    image: before?.image === after.image ? null : { before: before?.image ?? null, after: after.image },
    variables: diffVariables(before ? await variablesOf(ctx, before) : [], await variablesOf(ctx, after)),
    template: diffTemplates(before?.template, after.template),
  }
}

async function variablesOf(ctx: Ctx, release: Release): Promise<Variable[]> {
  const revision = must(
    await findConfigRevision(ctx.db, release.workloadId, release.configRevision),
    'a release pins a revision that exists',
  )
  return openVariables(ctx.envelope, revision)
}
