/* What the engine writes about a rollout: its moves, what was observed, the evidence of its gates. */
import { onCommit } from '@slipway/db'
import { canonicalJson, must, SECOND_MS } from '@slipway/kit'

import type { ControlContext } from '../../control/index.ts'
import type { Db } from '../../tables.ts'
import { lockWorkload, takeInstances, type Workload } from '../app/index.ts'
import type { ClusterConnection } from '../fleet/index.ts'
import type { Capacity } from './capacity.ts'
import { hostnamesOf } from './manifests.ts'
import { countedProcessOf, isReturning, type Head, type Reason, type Release } from './model.ts'
import { isDrained, movedTo, planCapacity, type Observation, type Step } from './plan.ts'
import { probeOnce } from './probe.ts'
import * as queries from './queries.ts'
import { isRefusal } from './refusal.ts'
import { demandNow, targetOf } from './shape.ts'
import type { State } from './state.ts'

/** How long an old version without traffic stays at least, where a Workload keeps none: requests under way end. */
const KEEP_SECONDS_MIN = 3
/** How long one pass probes; what is left comes with the next, so that a wish to go back is heard in between. */
const PROBING_MS = 2 * SECOND_MS

/** Writes what the capacity gate found, and lets the Release begin where there is room. @returns whether it begins */
export async function passCapacity(
  context: ControlContext,
  moving: { readonly state: State; readonly active: Release; readonly hasRouter: boolean },
  found: Capacity,
): Promise<boolean> {
  const { active } = moving
  const { step, reason } = planCapacity(active, found)
  // What was said before is not said again at every look.
  if (step === null && canonicalJson(active.reason) === canonicalJson(reason)) return false
  const reserve = found.kind === 'fits' ? found.reserve : 'full'
  await context.transact(async (db) => {
    const event = eventOf(active, context, { kind: 'gate', ...reason })
    if (step === null) {
      if (await queries.advanceRelease(db, { ...active, reason })) await queries.appendReleaseEvent(db, event)
      return
    }
    await queries.appendReleaseEvent(db, event)
    await makeMove(db, context, { ...moving, active: { ...active, reserve }, move: step })
  })
  return step !== null
}

export async function makeMove(
  db: Db,
  context: ControlContext,
  moving: {
    readonly state: State
    readonly active: Release
    readonly hasRouter: boolean
    readonly move: Step
  },
): Promise<void> {
  const { active, move } = moving
  const { workload, head } = moving.state
  const now = context.clock.now()
  const after = movedTo(active, move, now)
  // In the order in which a person who scales takes the locks.
  if (move.state === 'Done') await lockWorkload(db, workload.id)
  const written = await queries.advanceRelease(db, after)
  // Whoever won this race has woken us again.
  if (!written) return
  await queries.appendReleaseEvent(
    db,
    eventOf(written, context, { kind: 'state', code: move.state, params: paramsOf(move.reason) }),
  )
  if (move.state === 'Placing' && move.batch === 0 && head?.retainedId)
    await queries.putHead(db, { ...head, retainedId: null, retainedUntil: null, retainedInstances: null })
  if (move.state === 'Done') {
    await takeCounts(db, written)
    await queries.putHead(db, headAfter(written, workload, { head, now, hasRouter: moving.hasRouter }))
  }
  onCommit(db, () =>
    context.log.info(
      { release: written.id, workload: workload.name, state: move.state, reason: move.reason?.code },
      'release moved',
    ),
  )
}

/** The Workload's count is from now on what was given with the Release. */
async function takeCounts(db: Db, release: Release): Promise<void> {
  if (release.asked.length === 0) return
  const asked = release.asked.map((process): [string, number] => [process, release.instances[process] ?? 0])
  await takeInstances(db, release.workloadId, Object.fromEntries(asked))
}

/** What an event says of a reason. */
export function paramsOf(reason: Reason | null): Reason['params'] {
  return reason === null ? {} : { reason: reason.code, ...reason.params }
}

/** The new version serves; the old one is kept ready for the way back, where a route can bring the traffic back. */
function headAfter(
  release: Release,
  workload: Workload,
  about: { readonly head: Head | undefined; readonly now: Date; readonly hasRouter: boolean },
): Head {
  const previous = about.head?.servingId ?? null
  const keeps = about.hasRouter && previous !== null && release.reserve === 'full'
  const keepSeconds = Math.max(workload.keepSeconds, KEEP_SECONDS_MIN)
  return {
    workloadId: workload.id,
    organizationId: workload.organizationId,
    servingId: release.id,
    retainedId: keeps ? previous : null,
    retainedUntil: keeps ? new Date(about.now.getTime() + keepSeconds * SECOND_MS) : null,
    // A count that came with the Release is the new version's alone, so what is kept does not grow to it.
    retainedInstances: keeps
      ? Math.min(release.oldDemand, targetOf(release, countedProcessOf(release.template), workload.instances))
      : null,
  }
}

/**
 * Writes what was observed when it differs from what is known: counts, demand, traffic.
 * @returns the Release as it is now; undefined when somebody else wrote it meanwhile
 */
export async function recordObservation(
  context: ControlContext,
  state: State,
  active: Release,
  observation: Observation,
): Promise<Release | undefined> {
  const { serving, workload } = state
  const demand = Math.max(
    active.demand,
    targetOf(active, countedProcessOf(active.template), workload.instances),
  )
  const oldDemand = Math.max(active.oldDemand, serving ? demandNow(serving, workload.instances) : 0)
  const now = context.clock.now()
  const weight = weightSeen(active, observation, now)
  const { counts } = observation
  if (
    demand === active.demand &&
    oldDemand === active.oldDemand &&
    weight === active.weight &&
    canonicalJson(active.counts) === canonicalJson(counts)
  )
    return active
  return context.transact(async (db) => {
    const isBack = isReturning(active) && weight === 0 && active.weight !== 0
    const written = await queries.advanceRelease(db, {
      ...active,
      counts,
      demand,
      oldDemand,
      weight,
      batchSince: isBack ? now : active.batchSince,
    })
    if (written && weight !== active.weight)
      await queries.appendReleaseEvent(
        db,
        eventOf(written, context, {
          kind: 'note',
          code: 'traffic',
          params: { weight, seconds: Math.round((now.getTime() - active.stateSince.getTime()) / 100) / 10 },
        }),
      )
    return written
  })
}

/** The share of the traffic as the route confirmed it; without a route, the share of what is ready. */
function weightSeen(active: Release, { routed, hasRouter, counts }: Observation, now: Date): number {
  if (routed !== null) return routed
  if (!hasRouter) {
    const ready = counts.newReady + counts.oldReady
    return ready === 0 ? active.weight : Math.round((100 * counts.newReady) / ready)
  }
  return active.state === 'RollingBack' && isDrained(active, routed, now) ? 0 : active.weight
}

/** Asks the new version through the route. @returns whether the gate has seen enough */
export async function probe(
  context: ControlContext,
  connection: ClusterConnection,
  workload: Workload,
  active: Release,
): Promise<boolean> {
  const gateway = must(connection.gateway, 'a probe has a route')
  const host = must(hostnamesOf(workload, gateway)[0], 'a Workload has a name')
  const { path, requests, statusBelow } = active.plan.probe
  const untilMs = context.clock.monotonicMs() + PROBING_MS
  let passed = active.probesPassed
  let answer = ''
  let failed = false
  while (passed < requests && !failed && !context.woken.aborted && context.clock.monotonicMs() < untilMs) {
    const target = { url: gateway.url, host, path, hash: active.hash, statusBelow }
    const until = AbortSignal.any([context.signal, context.woken])
    const result = await probeOnce(target, until, connection.askGateway)
    context.signal.throwIfAborted()
    if (result === 'given up') break
    answer = result.what
    failed = !result.passed
    passed = failed ? 0 : passed + 1
  }
  const isNews = failed ? active.reason?.code !== 'probe_failing' : passed >= requests
  const reason = failed ? { code: 'probe_failing', params: { path, answer } } : null
  if (passed === active.probesPassed && !isNews) return false
  await context.transact(async (db) => {
    const advanced = await queries.advanceRelease(db, { ...active, probesPassed: passed, reason })
    // Evidence is written when the gate passes, and when it begins to fail; not at every try.
    if (!advanced || !isNews) return
    const code = failed ? 'probe_failing' : 'probe_passed'
    await queries.appendReleaseEvent(
      db,
      eventOf(advanced, context, { kind: 'gate', code, params: { requests, path, answer } }),
    )
  })
  return !failed
}

/**
 * Says why the Cluster refuses what the Release needs, or that it no longer does.
 * @returns the Release as it is now; undefined when somebody else wrote it meanwhile
 */
export async function recordRefusal(
  context: ControlContext,
  active: Release,
  refusal: Reason | undefined,
): Promise<Release | undefined> {
  const isTold = refusal === undefined ? !isRefusal(active.reason) : active.reason?.code === refusal.code
  if (isTold) return active
  return context.transact(async (db) => {
    const written = await queries.advanceRelease(db, { ...active, reason: refusal ?? null })
    if (written && refusal)
      await queries.appendReleaseEvent(db, eventOf(written, context, { kind: 'note', ...refusal }))
    return written
  })
}

export async function recordDrift(context: ControlContext, state: State, object: string): Promise<void> {
  const release = state.active ?? state.serving
  context.log.warn(
    { workload: state.workload.name, object },
    'somebody else changed what a release applied; applying it again',
  )
  if (release)
    await context.transact((db) =>
      queries.appendReleaseEvent(
        db,
        eventOf(release, context, { kind: 'drift', code: 'drift', params: { object } }),
      ),
    )
}

function eventOf(
  release: Release,
  context: ControlContext,
  what: {
    readonly kind: 'state' | 'gate' | 'drift' | 'note'
    readonly code: string
    readonly params: Readonly<Record<string, string | number | boolean>>
  },
): Parameters<typeof queries.appendReleaseEvent>[1] {
  return {
    releaseId: release.id,
    organizationId: release.organizationId,
    at: context.clock.now(),
    batch: release.batch,
    actor: 'system',
    ...what,
  }
}
