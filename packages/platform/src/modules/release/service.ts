/* What people do to Releases that have begun. */
import type { ReleaseDiff, ReleaseState } from '@slipway/contract'
import { must } from '@slipway/kit'

import type { Ctx } from '../../context.ts'
import { wake } from '../../control/index.ts'
import { found, httpErrors } from '../../http/errors.ts'
import { findConfigRevision, openVariables, WORKLOAD_RECONCILER, type Variable } from '../app/index.ts'
import { diffTemplates, diffVariables } from './diff.ts'
import { releaseErrors } from './errors.ts'
import { floorOf, isEnded, isReturning, type Goal, type Release } from './model.ts'
import { movedTo, planCommanded, reasonBefore } from './plan.ts'
import * as queries from './queries.ts'
import { record, recordMove } from './journal.ts'

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
  const commanded = { ...release, ...what.change(release) }
  // What the command alone decides is done at once, so that the answer shows it.
  const step = planCommanded(commanded)
  const after = step ? movedTo(commanded, step, ctx.now) : commanded
  const written = await queries.advanceRelease(ctx.db, after)
  if (!written) throw httpErrors.generation_conflict()
  await record(ctx, commanded, what.code, what.params)
  if (step) await recordMove(ctx, written)
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
