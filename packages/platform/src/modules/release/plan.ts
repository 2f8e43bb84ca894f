/*
 * Every decision of a rollout, pure: the same release, observation and time give the same move.
 *
 * A batch goes Placing (Instances come up) → Warming (the new version answers through the real route, by a header that nobody
 * else sends) → Gating (it gets its share of the traffic and still answers) → WaitPerson → Soak → the next batch. The weights
 * of a batch hold from its Gating on, so people never reach a version that has not answered.
 * Whatever the state, a wish to go back and a failed gate lead to RollingBack; a deadline leads there or to Held.
 * On the way back the weights change first, as far as the old version can carry them; the new version's Instances go when the
 * route has confirmed that none of its traffic reaches them and requests under way had time to end. An old version that does
 * not get ready holds the way back: the new one goes on with its part, a person may keep it, and the way goes on by itself
 * as soon as the old version can carry the traffic.
 */
import type { ReleaseState } from '@slipway/contract'

import { excludedText, type Capacity } from './capacity.ts'
import {
  floorOf,
  isEnded,
  isReturning,
  type Counts,
  type Reason,
  type Release,
  type SettledBatch,
} from './model.ts'

/** Restarts of one Instance after which its version counts as crashing. */
export const CRASHES_MAX = 3
/** How long a version may have too few ready Instances, once it has had enough, before its gate fails, in ms. */
export const UNREADY_MAX_MS = 30_000
/** Time for requests under way to end before the Instances that answer them go, in ms. */
export const DRAIN_MS = 2_000
/** How long the way back waits for a route that confirms nothing, in ms. */
export const ROUTE_MAX_MS = 15_000
/** With a route the old version was kept whole: how long it may be unready before the way back says that it waits, in ms. */
export const RETURN_PATIENCE_MS = 10_000
const POLL_MS = 1_000

/** What the cluster shows of a rollout. */
export type Observation = {
  readonly counts: Counts
  /** Both versions' objects and the route are as they were asked to be, by the cluster's own word. */
  readonly settled: boolean
  /** Percent of the traffic that reaches the new version, by the route's own word; null while it has confirmed nothing. */
  readonly routed: number | null
  /** Most restarts of one Instance of the new version since the release began. */
  readonly crashes: number
  /** A short word from the cluster about what keeps Instances from starting (`ImagePullBackOff: …`), or empty. */
  readonly trouble: string
  /** The same about the old version. */
  readonly oldTrouble: string
  /** Since when the new version has had too few ready Instances; null while it has enough. */
  readonly unreadySince: Date | null
  /** Objects of the new version are gone. */
  readonly newGone: boolean
  /** Whether there is a route that tells versions apart. */
  readonly hasRouter: boolean
}

export type Step = {
  readonly kind: 'to'
  readonly state: ReleaseState
  readonly batch: number
  readonly reason: Reason | null
}
/** `measure` asks whether the Cluster has room for it. */
export type Move =
  | Step
  | { readonly kind: 'probe' }
  | { readonly kind: 'measure' }
  | { readonly kind: 'wait'; readonly forMs: number }

/** The Release after a move. */
export function movedTo(active: Release, move: Step, now: Date): Release {
  const isNew = move.batch !== active.batch || active.state === 'Queued' || move.state === 'RollingBack'
  return {
    ...active,
    state: move.state,
    heldFrom: move.state === 'Held' ? active.state : null,
    batch: move.batch,
    probesPassed: 0,
    goal: move.state === 'RollingBack' && active.goal === 'forward' ? 'rollback' : active.goal,
    reason: move.reason,
    served: active.served || move.state === 'Done',
    stateSince: now,
    batchSince: isNew ? now : active.batchSince,
    endedAt: isEnded(move.state) ? now : null,
  }
}

/** The move that a person's command alone decides, whatever the cluster shows; undefined when it decides none. */
export function planCommanded(release: Release): Step | undefined {
  if (isEnded(release.state) || isReturning(release)) return undefined
  if (release.goal !== 'forward') return to(release, 'RollingBack', reasonToReturn(release))
  const isAnswered = release.state === 'WaitPerson' && release.approvedBatch >= release.batch
  return isAnswered && !release.paused ? afterApproval(release) : undefined
}

/** Decides the next move of a release that has not ended. */
export function planMove(release: Release, seen: Observation, now: Date): Move {
  if (isEnded(release.state)) return wait(POLL_MS)
  if (isReturning(release)) return planReturn(release, seen, now)
  if (release.goal !== 'forward') return to(release, 'RollingBack', reasonToReturn(release))
  const failure = failureOf(release, seen, now)
  if (failure !== undefined) return fail(release, failure)
  if (release.state === 'Held') return wait(POLL_MS)
  return planForward(release, seen, now)
}

/** What the capacity gate found: on, or wait with the reason. */
export function planCapacity(
  release: Release,
  found: Capacity,
): { readonly step: Step | null; readonly reason: Reason } {
  if (found.kind === 'unknown')
    return { step: to(release, 'Placing', null), reason: { code: 'capacity_unknown', params: {} } }
  const { needs } = found
  if (found.kind === 'fits') {
    const code = found.reserve === 'full' ? 'capacity_passed' : 'capacity_lowered'
    return { step: to(release, 'Placing', null), reason: { code, params: { needs } } }
  }
  const { process, wanted, room, lacks, nodes } = found.short
  const excluded = excludedText(found.short.excluded)
  const code = found.lowerFits ? 'capacity_short_whole' : 'capacity_short'
  return { step: null, reason: { code, params: { needs, process, wanted, room, lacks, nodes, excluded } } }
}

function planForward(release: Release, seen: Observation, now: Date): Move {
  const batch = batchOf(release)
  const enough = seen.settled && seen.counts.newReady >= Math.max(batch.instances, seen.counts.newWanted)
  const probed =
    release.probesPassed >= release.plan.probe.requests || !seen.hasRouter || seen.counts.newWanted === 0
  switch (release.state) {
    case 'Queued':
      return release.plan.capacity === 'ignore' ? to(release, 'Placing', null) : { kind: 'measure' }
    case 'Placing':
      if (!enough) return waitForDeadline(release, now)
      return release.paused ? wait(POLL_MS) : to(release, 'Warming', null)
    case 'Warming':
      if (!enough) return waitForDeadline(release, now)
      if (!probed) return { kind: 'probe' }
      return release.paused ? wait(POLL_MS) : to(release, 'Gating', null)
    case 'Gating':
      if (!enough) return waitForDeadline(release, now)
      if (!probed) return { kind: 'probe' }
      return release.paused ? wait(POLL_MS) : afterGate(release)
    case 'WaitPerson':
      if (release.approvedBatch < release.batch || release.paused) return wait(POLL_MS)
      return afterApproval(release)
    case 'Soak': {
      const leftMs = release.stateSince.getTime() + batch.soakSeconds * 1_000 - now.getTime()
      if (leftMs > 0) return wait(Math.min(leftMs, POLL_MS))
      return release.paused ? wait(POLL_MS) : nextBatch(release)
    }
    case 'Finishing':
      return to(release, 'Done', null)
    default:
      return wait(POLL_MS)
  }
}

function afterGate(release: Release): Move {
  const batch = batchOf(release)
  if (batch.approve && release.approvedBatch < release.batch) return to(release, 'WaitPerson', null)
  return afterApproval(release)
}

function afterApproval(release: Release): Step {
  return batchOf(release).soakSeconds > 0 ? to(release, 'Soak', null) : nextBatch(release)
}

function nextBatch(release: Release): Step {
  const next = release.batch + 1
  if (next >= release.batches.length) return to(release, 'Finishing', null)
  return { kind: 'to', state: 'Placing', batch: next, reason: null }
}

/** What has gone wrong with the new version, or undefined. */
function failureOf(release: Release, seen: Observation, now: Date): Reason | undefined {
  if (release.state === 'Finishing') return undefined
  if (release.state === 'Queued') return shortFor(release, now)
  if (seen.crashes >= CRASHES_MAX)
    return { code: 'gate_crashing', params: { restarts: seen.crashes, trouble: seen.trouble } }
  const waiting = release.state === 'Placing' || release.state === 'Warming' || release.state === 'Gating'
  // Time that a person's pause takes is not the new version's fault.
  if (waiting && !release.paused && now.getTime() >= deadlineMsOf(release))
    return {
      code: 'gate_deadline',
      params: {
        ready: seen.counts.newReady,
        wanted: batchOf(release).instances,
        trouble: seen.trouble,
        seconds: release.plan.batchDeadlineSeconds,
      },
    }
  const unreadyMs = seen.unreadySince === null ? 0 : now.getTime() - seen.unreadySince.getTime()
  const expected = !waiting || (release.paused && release.state === 'Gating')
  if (expected && unreadyMs >= UNREADY_MAX_MS)
    return {
      code: 'gate_unready',
      params: { ready: seen.counts.newReady, wanted: batchOf(release).instances, trouble: seen.trouble },
    }
  return undefined
}

/** The wait for room has a deadline too. */
function shortFor(release: Release, now: Date): Reason | undefined {
  const isShort = release.reason?.code.startsWith('capacity_') === true
  if (!isShort || now.getTime() < deadlineMsOf(release)) return undefined
  const seconds = release.plan.batchDeadlineSeconds
  return { code: 'gate_capacity', params: { ...release.reason?.params, seconds } }
}

/** A failed gate goes back or holds, as the plan says; one that holds already stays. */
function fail(release: Release, reason: Reason): Move {
  if (release.plan.onFail === 'rollback') return to(release, 'RollingBack', reason)
  return release.state === 'Held' ? wait(POLL_MS) : to(release, 'Held', reason)
}

/** Why a person's wish sends it back; an answer to a question keeps its own reason. */
function reasonToReturn(release: Release): Reason {
  if (release.reason?.code === 'rejected') return release.reason
  return { code: release.goal === 'abort' ? 'aborted' : 'rolled_back', params: {} }
}

/** On the way back: whether the new version's Instances may go, as nobody reaches them any more. */
export function isDrained(
  release: Pick<Release, 'weight' | 'stateSince' | 'batchSince'>,
  routed: number | null,
  now: Date,
): boolean {
  const confirmed = release.weight === 0 && routed === 0
  if (!confirmed) return now.getTime() >= release.stateSince.getTime() + ROUTE_MAX_MS
  return now.getTime() >= release.batchSince.getTime() + DRAIN_MS
}

/** Traffic is back as far as the old version carries it; it ends when the new version's objects are gone. */
function planReturn(release: Release, seen: Observation, now: Date): Move {
  const { oldReady, oldWanted } = seen.counts
  const carries = oldReady >= floorOf(oldWanted)
  if (release.state === 'RollingBack' && seen.settled && seen.newGone && oldReady >= oldWanted)
    return endOfReturn(release)
  const passedMs = now.getTime() - release.stateSince.getTime()
  const deadlineMs = release.plan.batchDeadlineSeconds * 1_000
  if (!seen.newGone && !carries) return planWaiting(release, seen, { passedMs, deadlineMs })
  if (release.state === 'Held') return to(release, 'RollingBack', reasonBefore(release))
  if (passedMs < deadlineMs) return wait(POLL_MS)
  // The new version is gone and the old one carries the traffic: what is missing of it is no longer this release's matter.
  return seen.settled && seen.newGone && carries ? endOfReturn(release) : failReturn(release, seen)
}

/** The old version cannot carry the traffic: the new one is not taken away, as long as any of it is ready. */
function planWaiting(
  release: Release,
  seen: Observation,
  { passedMs, deadlineMs }: { readonly passedMs: number; readonly deadlineMs: number },
): Move {
  const patienceMs =
    seen.hasRouter && release.reserve === 'full' ? Math.min(RETURN_PATIENCE_MS, deadlineMs) : deadlineMs
  if (release.state === 'RollingBack')
    return passedMs >= patienceMs ? to(release, 'Held', waitingReason(release, seen)) : wait(POLL_MS)
  // Neither version serves, so there is nothing to hold: the way is free for another release.
  if (passedMs >= deadlineMs && seen.counts.newReady === 0) return failReturn(release, seen)
  return wait(POLL_MS)
}

function failReturn(release: Release, { counts, oldTrouble, trouble }: Observation): Move {
  return to(release, 'Failed', {
    code: 'return_deadline',
    params: { ready: counts.oldReady, wanted: counts.oldWanted, trouble: oldTrouble || trouble },
  })
}

function endOfReturn(release: Release): Move {
  return to(release, release.goal === 'abort' ? 'Aborted' : 'RolledBack', release.reason)
}

/** Why the way back waits; it keeps the reason for which it is on the way back. */
function waitingReason({ reason }: Release, { counts, oldTrouble }: Observation): Reason {
  const { oldReady, oldWanted } = counts
  return {
    code: 'return_waits',
    params: { ...reason?.params, because: reason?.code ?? '', oldReady, oldWanted, oldTrouble },
  }
}

/** The reason for which a release is on its way back, whether it waits there or not. */
export function reasonBefore({ reason }: Pick<Release, 'reason'>): Reason | null {
  if (reason?.code !== 'return_waits') return reason
  const { because, oldReady: _, oldWanted: __, oldTrouble: ___, ...params } = reason.params
  return typeof because === 'string' && because !== '' ? { code: because, params } : null
}

export function batchOf(release: Pick<Release, 'batches' | 'batch'>): SettledBatch {
  const batch = release.batches[Math.min(release.batch, release.batches.length - 1)]
  return batch ?? { instances: 0, share: 100, weight: 100, header: null, approve: false, soakSeconds: 0 }
}

function deadlineMsOf(release: Release): number {
  return release.batchSince.getTime() + release.plan.batchDeadlineSeconds * 1_000
}

function waitForDeadline(release: Release, now: Date): Move {
  return wait(Math.max(1, Math.min(POLL_MS, deadlineMsOf(release) - now.getTime())))
}

function to(release: Release, state: ReleaseState, reason: Reason | null): Step {
  return { kind: 'to', state, batch: release.batch, reason }
}

function wait(forMs: number): Move {
  return { kind: 'wait', forMs }
}
