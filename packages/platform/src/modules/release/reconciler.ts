/*
 * The engine of one Workload, level-triggered: everything is read afresh, the Cluster is brought to what the state asks for,
 * then a pure plan decides one move. Killing the process between any two steps loses nothing, as no step relies on the memory
 * of having done something.
 */
import { MINUTE_MS, SECOND_MS } from '@slipway/kit'
import { findObject, hasReason } from '@slipway/kube'

import type { ControlContext, Reconciler } from '../../control/index.ts'
import { purgeWorkload, setUrls, WORKLOAD_RECONCILER, workloadIds, type Workload } from '../app/index.ts'
import type { ClusterConnection, Clusters } from '../fleet/index.ts'
import { takeStep } from './apply.ts'
import { looks, type Looks } from './look.ts'
import { manifestsOf, objectName, urlsOf } from './manifests.ts'
import { measure, type Measuring } from './measure.ts'
import { memory, type Memory } from './memory.ts'
import { countedProcessOf, isReturning, routedProcessOf, type Release } from './model.ts'
import { makeMove, probe, recordDrift, recordObservation, recordRefusal } from './moves.ts'
import {
  differencesOf,
  keyOf,
  routingOf,
  statusOf,
  type Difference,
  type Seen,
  type VersionStatus,
} from './observe.ts'
import { recordHealth } from './overview/record.ts'
import { batchOf, isDrained, planMove, type Observation } from './plan.ts'
import * as queries from './queries.ts'
import { refusalIn, refusedInstances } from './refusal.ts'
import { demandOf, shapeOf, type Shape } from './shape.ts'
import { readState, type State } from './state.ts'

/** What the engine needs of other modules. */
export type EnginePorts = {
  readonly clusters: Clusters
  /** Makes the Kubernetes namespace and what every Workload in it needs (labels, pull secret). Idempotent. */
  readonly prepareNamespace: (
    context: ControlContext,
    connection: ClusterConnection,
    workload: Workload,
  ) => Promise<void>
  /** Full address of `<repository>@<digest>` as the Cluster's nodes pull it. */
  readonly imageAddress: (image: string) => string
}

const RESYNC_MS = 30 * SECOND_MS
const DEADLINE_MS = 60 * SECOND_MS
const ACTIVE_MS = 500
/** How often a Release that waits for room looks whether there is some. */
const ROOM_MS = 3 * SECOND_MS
/** How often a namespace of Workloads at rest is looked after. */
const PREPARE_MS = 10 * MINUTE_MS
/** How soon a pass that wrote something looks at what the Cluster made of it. */
const WROTE_MS = 100
/** Moves of one pass; what is left comes with the next. */
const MOVES_MAX = 12
/** A write that lost against another is read and decided again, this often in a pass. */
const CONFLICTS_MAX = 5
/** How often an object is corrected at most while somebody else keeps changing it. */
const CORRECTION_MS = 10 * SECOND_MS

type Next = { readonly againInMs?: number | undefined }
type Engine = {
  readonly context: ControlContext
  readonly ports: EnginePorts
  readonly known: Memory
  readonly views: Looks
  readonly measuring: Measuring
}
type Place = { readonly connection: ClusterConnection; readonly state: State }

export function releaseReconciler(ports: EnginePorts): Reconciler {
  const known = memory()
  const views = looks()
  const measuring: Measuring = new Set()
  return {
    name: WORKLOAD_RECONCILER,
    keys: workloadIds,
    resyncMs: RESYNC_MS,
    concurrency: 8,
    deadlineMs: DEADLINE_MS,
    reconcile: async (context, workloadId) =>
      reconcileWorkload({ context, ports, known, views, measuring }, workloadId),
  }
}

async function reconcileWorkload(engine: Engine, workloadId: string): Promise<Next> {
  const { context, ports } = engine
  for (let moves = 0; moves < MOVES_MAX; moves += 1) {
    const state = await context.transact((db) => readState(db, context, workloadId))
    if (!state) return {}
    const connection = await ports.clusters.connect(state.workload.clusterId)
    if (state.workload.deleting) return deleteEverything(engine, { connection, state })
    if (!state.active && !state.serving) return {}
    const found = await convergeOrTell(engine, { connection, state })
    await recordUrls(context, connection, state.workload)
    await recordHealth(context, state, found.seen)
    if (!state.active) return steady(engine, state)
    const again = await advance(engine, { connection, state }, { ...found, active: state.active })
    if (again !== undefined) return { againInMs: again }
  }
  return { againInMs: 1 }
}

type Found = { readonly seen: Seen; readonly converged: boolean; readonly wrote: boolean }

/** Records what is seen and makes at most one move. @returns when to look again; undefined for at once */
async function advance(
  { context, known, ports, measuring }: Engine,
  { connection, state }: Place,
  found: Found & { readonly active: Release },
): Promise<number | undefined> {
  const observation = observationOf(state, found, { connection, known, now: context.clock.now() })
  const observed = await recordObservation(context, state, found.active, observation)
  const refusal = refusedInstances(found.seen, found.active.hash)
  const active = observed && (await recordRefusal(context, observed, refusal))
  // Somebody else wrote it, so what was decided upon is no longer there.
  if (!active) return undefined
  const move = planMove(active, observation, context.clock.now())
  if (move.kind === 'wait') return Math.min(move.forMs, found.wrote ? WROTE_MS : ACTIVE_MS)
  if (move.kind === 'probe')
    return (await probe(context, connection, state.workload, active)) ? undefined : ACTIVE_MS
  const { hasRouter } = observation
  if (move.kind === 'measure') {
    const input = manifestInput(ports, context, { connection, state })
    const asked = { connection, state, active, hasRouter, input }
    const found = await measure(context, measuring, asked)
    return found === 'begins' ? undefined : found === 'busy' ? ACTIVE_MS : ROOM_MS
  }
  await context.transact((db) => makeMove(db, context, { state, active, hasRouter, move }))
  return undefined
}

/** What the Cluster refuses is told to people before it is tried again. */
async function convergeOrTell(engine: Engine, place: Place): Promise<Found> {
  try {
    return await converge(engine, place)
  } catch (thrown) {
    const refusal = refusalIn(thrown)
    if (refusal && place.state.active) await recordRefusal(engine.context, place.state.active, refusal)
    throw thrown
  }
}

/**
 * Brings the Cluster to what the state asks for. Every object is written at most once in a pass, beside conflicts, so that
 * somebody who changes it back at once costs one write per pass.
 */
async function converge(engine: Engine, place: Place): Promise<Found> {
  await prepare(engine, place)
  const remembered = engine.views.remembered(aboutOf(engine, place))
  if (remembered && differencesIn(engine, place, remembered).length === 0)
    return { seen: remembered, converged: true, wrote: false }
  const written = new Set<string>()
  for (let conflicts = 0; ;) {
    const seen = await engine.views.asked(aboutOf(engine, place))
    const differences = differencesIn(engine, place, seen)
    const wrote = written.size > 0
    if (differences.length === 0) return { seen, converged: true, wrote }
    const open = differences.filter((difference) => !written.has(keyOfDifference(difference)))
    if (open.length === 0)
      // What somebody else insists on is not waited for: that would leave the release without an exit.
      return { seen, wrote, converged: differences.every((one) => one.kind === 'apply' && one.drifted) }
    for (const difference of open) {
      const outcome = await takeOne(engine, place, difference)
      if (outcome !== 'conflict') written.add(keyOfDifference(difference))
      if (outcome !== 'conflict') continue
      conflicts += 1
      if (conflicts > CONFLICTS_MAX) return { seen, converged: false, wrote }
      break
    }
  }
}

function aboutOf({ context }: Engine, { connection, state }: Place): Parameters<Looks['asked']>[0] {
  return { context, connection, workload: state.workload, isActive: state.active !== undefined }
}

function differencesIn(engine: Engine, place: Place, seen: Seen): Difference[] {
  const stamp = place.state.active ? engine.context.epoch : undefined
  return differencesOf(wantedOf(engine, place, seen), seen, stamp)
}

/** What the Workload needs of its namespace; that of one at rest is looked after now and then. */
async function prepare({ context, ports, known }: Engine, { connection, state }: Place): Promise<void> {
  const { clusterId, namespace } = state.workload
  const isDue = known.isDue(`${clusterId} ${namespace}`, context.clock.monotonicMs(), PREPARE_MS)
  if (isDue || state.active !== undefined) await ports.prepareNamespace(context, connection, state.workload)
}

async function takeOne(
  { context, known, views }: Engine,
  { connection, state }: Place,
  difference: Difference,
): Promise<'taken' | 'left' | 'conflict'> {
  if (difference.kind === 'apply' && difference.drifted) {
    const object = keyOf(difference.live)
    const isDue = known.isDue(`${state.workload.id} ${object}`, context.clock.monotonicMs(), CORRECTION_MS)
    if (!isDue) return 'left'
    await recordDrift(context, state, object)
  }
  try {
    const fence = { epoch: context.epoch, signal: context.signal }
    views.wrote(state.workload.id, await takeStep(connection.kube, difference, fence))
    return 'taken'
  } catch (thrown) {
    if (hasReason(thrown, 'Conflict') || hasReason(thrown, 'AlreadyExists')) return 'conflict'
    // It may have been written all the same.
    views.doubt(state.workload.id)
    throw thrown
  }
}

function keyOfDifference(difference: Difference): string {
  return keyOf(difference.kind === 'remove' ? difference.live : difference.manifest)
}

function wantedOf({ context, ports }: Engine, { connection, state }: Place, seen: Seen) {
  return manifestsOf({
    ...manifestInput(ports, context, { connection, state }),
    shape: shapeNow(state, seen, { connection, now: context.clock.now() }),
  })
}

function manifestInput(ports: EnginePorts, context: ControlContext, { connection, state }: Place) {
  return {
    workload: state.workload,
    variables: state.variables,
    gateway: connection.gateway,
    installationId: context.installationId,
    imageAddress: ports.imageAddress,
  }
}

type Looking = { readonly connection: ClusterConnection; readonly now: Date }

function shapeNow(state: State, seen: Seen, { connection, now }: Looking): Shape {
  const { active, serving, workload } = state
  const fresh = active && statusOf(seen, workload, active)
  const old = serving && statusOf(seen, workload, serving)
  const hasRouter = hasRoute(connection, active ?? serving)
  return shapeOf({
    active,
    serving,
    retained: state.retained,
    retainedInstances: state.head?.retainedInstances ?? null,
    instances: workload.instances,
    hasRouter,
    newReady: fresh?.ready ?? 0,
    oldReady: old?.ready ?? 0,
    newPresent: fresh?.wanted ?? null,
    drained: active?.state === 'RollingBack' && (!hasRouter || isDrained(active, routedOf(state, seen), now)),
  })
}

/** Whether requests reach this version by a route that can tell versions apart. */
function hasRoute(connection: ClusterConnection, version: Release | undefined): boolean {
  return (
    connection.gateway !== undefined &&
    version !== undefined &&
    routedProcessOf(version.template) !== undefined
  )
}

/** Percent of the traffic for the new version as the route confirmed it. */
function routedOf({ active, workload }: State, seen: Seen): number | null {
  const process = active && routedProcessOf(active.template)
  if (active === undefined || process === undefined) return null
  const { confirmed, weight } = routingOf(seen, objectName(workload, process, active.hash))
  return confirmed ? weight : null
}

function observationOf(
  state: State,
  { seen, converged, active }: Found & { readonly active: Release },
  { connection, now, known }: Looking & { readonly known: Memory },
): Observation {
  const { serving, workload } = state
  const fresh = statusOf(seen, workload, active)
  const old = serving && serving.hash !== active.hash ? statusOf(seen, workload, serving) : undefined
  const isObserved = (status: VersionStatus | undefined): boolean =>
    status === undefined || status.wanted === null || status.observed
  const hasRouter = hasRoute(connection, active)
  const routed = hasRouter ? routedOf(state, seen) : null
  const isRouted = !hasRouter || routed !== null || isReturning(active)
  return {
    counts: {
      newReady: fresh.ready,
      newWanted: fresh.wanted ?? 0,
      oldReady: old?.ready ?? 0,
      oldWanted: oldWantedOf(state, old),
    },
    settled: converged && isRouted && isObserved(fresh) && isObserved(old),
    routed,
    crashes: known.crashes(active, fresh.restarts),
    trouble: fresh.trouble === '' ? routingOf(seen, undefined).trouble : fresh.trouble,
    oldTrouble: old?.trouble ?? '',
    unreadySince: known.unreadySince(active.id, fresh.ready >= batchOf(active).instances, now),
    newGone: fresh.wanted === null || active.hash === serving?.hash,
    hasRouter,
  }
}

function oldWantedOf(state: State, old: VersionStatus | undefined): number {
  const { active, serving, workload } = state
  if (!serving || !old) return 0
  // On the way back the old version must be whole; before, what its Deployment asks for is what counts.
  return active && isReturning(active)
    ? demandOf(serving, countedProcessOf(serving.template), workload.instances)
    : (old.wanted ?? 0)
}

async function recordUrls(
  context: ControlContext,
  connection: ClusterConnection,
  workload: Workload,
): Promise<void> {
  const urls = urlsOf(workload, connection.gateway)
  if (urls.join(' ') !== workload.urls.join(' '))
    await context.transact((db) => setUrls(db, workload.id, urls))
}

/** Nothing is under way: the next look comes when the kept version's time is over. */
function steady({ context, known }: Engine, { serving, retained, head }: State): Next {
  if (serving) known.forget(serving.id)
  const until = retained === undefined ? undefined : head?.retainedUntil
  return until ? { againInMs: Math.max(SECOND_MS, until.getTime() - context.clock.now().getTime() + 1) } : {}
}

async function deleteEverything(engine: Engine, place: Place): Promise<Next> {
  const { context } = engine
  const { connection, state } = place
  const seen = await seenBeforeDeletion(engine, place)
  for (const difference of differencesOf([], seen, undefined))
    await takeStep(connection.kube, difference, { epoch: context.epoch, signal: context.signal })
  if (seen.objects.length > 0 || seen.pods.length > 0) return { againInMs: ACTIVE_MS }
  await context.transact(async (db) => {
    await queries.putHead(db, {
      workloadId: state.workload.id,
      organizationId: state.workload.organizationId,
      servingId: null,
      retainedId: null,
      retainedUntil: null,
      retainedInstances: null,
    })
    await purgeWorkload(db, state.workload.id)
  })
  return {}
}

/** Where we may work only in namespaces that are granted, one that was never made can neither be granted nor hold anything. */
async function seenBeforeDeletion(engine: Engine, place: Place): Promise<Seen> {
  const { kube, grantNamespace } = place.connection
  const { namespace } = place.state.workload
  const { signal } = engine.context
  if (grantNamespace) {
    if (!(await findObject(kube, 'namespaces', { name: namespace }, { signal })))
      return { objects: [], pods: [] }
    await grantNamespace(namespace, signal)
  }
  return engine.views.asked(aboutOf(engine, place))
}
