import { onCommit } from '@slipway/db'
import { assert, must, SECOND_MS } from '@slipway/kit'
import { hasReason, type Kube } from '@slipway/kube'

import type { ControlContext, Reconciler } from '../../control/index.ts'
import type { Db } from '../../tables.ts'
import {
  findConfigRevision,
  findWorkload,
  openVariables,
  purgeWorkload,
  setUrls,
  WORKLOAD_RECONCILER,
  workloadIds,
  type Variable,
  type Workload,
} from '../app/index.ts'
import type { ClusterConnection, Clusters } from '../fleet/index.ts'
import { FencedError, takeStep } from './apply.ts'
import { hostnamesOf, manifestsOf, urlsOf } from './manifests.ts'
import { countedProcessOf, isEnded, type Head, type Release } from './model.ts'
import { differencesOf, observe, statusOf, type Seen, type VersionStatus } from './observe.ts'
import { batchOf, planMove, type Move, type Observation } from './plan.ts'
import { probeOnce } from './probe.ts'
import * as queries from './queries.ts'
import { demandOf, shapeOf, type Shape } from './shape.ts'

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
/** Moves and writes of one pass; what is left comes with the next. */
const MOVES_MAX = 12
const WRITES_MAX = 100
/** A write that lost against another is read and decided again, this often in a pass. */
const CONFLICTS_MAX = 5

/** Everything the database says about a Workload's rollout. */
type State = {
  readonly workload: Workload
  readonly head: Head | undefined
  readonly active: Release | undefined
  readonly serving: Release | undefined
  readonly retained: Release | undefined
  readonly variables: ReadonlyMap<number, readonly Variable[]>
}

/** Since when each Workload's new version has had too few ready Instances, as this process saw it; a restart counts anew. */
type Memory = Map<string, Date>

export function releaseReconciler(ports: EnginePorts): Reconciler {
  const unready: Memory = new Map()
  return {
    name: WORKLOAD_RECONCILER,
    keys: workloadIds,
    resyncMs: RESYNC_MS,
    concurrency: 8,
    deadlineMs: DEADLINE_MS,
    reconcile: async (context, workloadId) => reconcileWorkload(context, ports, { workloadId, unready }),
  }
}

async function reconcileWorkload(
  context: ControlContext,
  ports: EnginePorts,
  { workloadId, unready }: { readonly workloadId: string; readonly unready: Memory },
): Promise<{ againInMs?: number | undefined }> {
  for (let moves = 0; moves < MOVES_MAX; moves += 1) {
    const state = await context.transact((db) => readState(db, context, workloadId))
    if (!state) return {}
    const connection = await ports.clusters.connect(state.workload.clusterId)
    if (state.workload.deleting) return deleteEverything(context, connection, state)
    if (!state.active && !state.serving) return {}
    await ports.prepareNamespace(context, connection, state.workload)
    const seen = await converge(context, ports, { connection, state })
    if (!state.active) return await steady(context, connection, state)

    const observation = observationOf(state, seen, { connection, unready, now: context.clock.now() })
    const move = planMove(state.active, observation, context.clock.now())
    if (move.kind === 'wait') {
      await recordCounts(context, state, observation, connection)
      return { againInMs: Math.min(move.forMs, ACTIVE_MS) }
    }
    if (move.kind === 'probe') {
      if (!(await probe(context, connection, state.workload, state.active))) return { againInMs: ACTIVE_MS }
      continue
    }
    await context.transact((db) => makeMove(db, context, { state, observation, move }))
  }
  return { againInMs: 1 }
}

async function readState(db: Db, context: ControlContext, workloadId: string): Promise<State | undefined> {
  const workload = await findWorkload(db, workloadId)
  if (!workload) return undefined
  const head = await queries.findHead(db, workloadId)
  const active = await queries.findActive(db, workloadId)
  const find = async (id: string | null | undefined): Promise<Release | undefined> =>
    id ? queries.findRelease(db, id) : undefined
  const serving = await find(head?.servingId)
  const keeps =
    head?.retainedUntil !== null &&
    head?.retainedUntil !== undefined &&
    head.retainedUntil > context.clock.now()
  const retained = keeps ? await find(head.retainedId) : undefined
  const revisions = new Set(
    [active, serving, retained].flatMap((release) => (release ? [release.configRevision] : [])),
  )
  const variables = new Map<number, readonly Variable[]>()
  for (const revision of revisions) {
    const found = must(
      await findConfigRevision(db, workloadId, revision),
      'a release pins a revision that exists',
    )
    variables.set(revision, openVariables(context.envelope, found))
  }
  return { workload, head, active, serving, retained, variables }
}

type Place = { readonly connection: ClusterConnection; readonly state: State }

/** Brings the Cluster to what the state asks for; returns what is there afterwards. */
async function converge(
  context: ControlContext,
  ports: EnginePorts,
  { connection, state }: Place,
): Promise<Seen> {
  let writes = 0
  for (let conflicts = 0; ;) {
    const seen = await look(context, connection.kube, state.workload, connection)
    const shape = shapeNow(state, seen, connection)
    const manifests = manifestsOf({
      workload: state.workload,
      shape,
      variables: state.variables,
      gateway: connection.gateway,
      installationId: context.installationId,
      imageAddress: ports.imageAddress,
    })
    const differences = differencesOf(manifests, seen, state.active ? context.epoch : undefined)
    if (differences.length === 0) return seen
    for (const difference of differences) {
      writes += 1
      assert(writes <= WRITES_MAX, 'a pass writes a bounded number of objects')
      if (difference.kind === 'apply' && difference.drifted)
        await recordDrift(
          context,
          state,
          `${difference.live.resource}/${difference.live.object.metadata.name}`,
        )
      try {
        await takeStep(connection.kube, difference, { epoch: context.epoch, signal: context.signal })
      } catch (thrown) {
        if (
          thrown instanceof FencedError ||
          !(hasReason(thrown, 'Conflict') || hasReason(thrown, 'AlreadyExists'))
        )
          throw thrown
        conflicts += 1
        if (conflicts > CONFLICTS_MAX) throw thrown
        break
      }
    }
    if (writes >= WRITES_MAX / 2) return look(context, connection.kube, state.workload, connection)
  }
}

async function look(
  context: ControlContext,
  kube: Kube,
  workload: Workload,
  connection: ClusterConnection,
): Promise<Seen> {
  return observe(kube, workload, { hasGateway: connection.gateway !== undefined, signal: context.signal })
}

function shapeNow(state: State, seen: Seen, connection: ClusterConnection): Shape {
  const { active, serving, workload } = state
  const fresh = active && statusOf(seen, workload, active)
  const old = serving && statusOf(seen, workload, serving)
  return shapeOf({
    active,
    serving,
    retained: state.retained,
    instances: workload.instances,
    hasRouter: connection.gateway !== undefined,
    newReady: fresh?.ready ?? 0,
    oldReady: old?.ready ?? 0,
    newPresent: fresh?.wanted ?? null,
  })
}

function observationOf(
  state: State,
  seen: Seen,
  about: { readonly connection: ClusterConnection; readonly unready: Memory; readonly now: Date },
): Observation {
  const { active, serving, workload } = state
  assert(active, 'a release is under way')
  const fresh = statusOf(seen, workload, active)
  const old = serving && serving.hash !== active.hash ? statusOf(seen, workload, serving) : undefined
  const wanted = batchOf(active).instances
  const enough = fresh.ready >= wanted
  if (enough) about.unready.delete(active.id)
  else if (!about.unready.has(active.id)) about.unready.set(active.id, about.now)
  return {
    counts: {
      newReady: fresh.ready,
      newWanted: fresh.wanted ?? 0,
      oldReady: old?.ready ?? 0,
      oldWanted: oldWantedOf(state, old),
    },
    settled:
      (fresh.wanted === null || fresh.observed) && (old === undefined || old.wanted === null || old.observed),
    crashes: fresh.crashes,
    trouble: fresh.trouble,
    unreadySince: about.unready.get(active.id) ?? null,
    newGone: fresh.wanted === null || active.hash === serving?.hash,
    hasRouter: about.connection.gateway !== undefined && hasRoute(active),
  }
}

function hasRoute(release: Release): boolean {
  return Object.values(release.template.processes).some(({ kind }) => kind === 'web')
}

function oldWantedOf(state: State, old: VersionStatus | undefined): number {
  const { active, serving, workload } = state
  if (!serving || !old) return 0
  // On the way back the old version must be whole; before, what its Deployment asks for is what counts.
  return active?.state === 'RollingBack'
    ? demandOf(serving, countedProcessOf(serving.template), workload.instances)
    : (old.wanted ?? 0)
}

async function probe(
  context: ControlContext,
  connection: ClusterConnection,
  workload: Workload,
  active: Release,
): Promise<boolean> {
  const gateway = must(connection.gateway, 'a probe has a route')
  const host = must(hostnamesOf(workload, gateway)[0], 'a Workload has a name')
  const { path, requests, statusBelow } = active.plan.probe
  let passed = active.probesPassed
  let what = ''
  while (passed < requests) {
    const result = await probeOnce(
      { url: gateway.url, host, path, hash: active.hash, statusBelow },
      context.signal,
    )
    what = result.what
    if (!result.passed) break
    passed += 1
  }
  const done = passed >= requests
  await context.transact(async (db) => {
    const advanced = await queries.advanceRelease(db, { ...active, probesPassed: done ? passed : 0 })
    // Evidence is written when the gate passes, and when it begins to fail; not at every try.
    if (advanced && (done || active.reason?.code !== 'probe_failing')) {
      await queries.appendReleaseEvent(
        db,
        eventOf(advanced, context, {
          kind: 'gate',
          code: done ? 'probe_passed' : 'probe_failing',
          params: { requests, path, answer: what },
        }),
      )
      if (!done)
        await queries.advanceRelease(db, {
          ...advanced,
          reason: { code: 'probe_failing', params: { answer: what } },
        })
    }
  })
  return done
}

type Moving = {
  readonly state: State
  readonly observation: Observation
  readonly move: Extract<Move, { kind: 'to' }>
}

async function makeMove(
  db: Db,
  context: ControlContext,
  { state, observation, move }: Moving,
): Promise<void> {
  const { active, workload, head } = state
  assert(active, 'a release is under way')
  const now = context.clock.now()
  const after: Release = {
    ...active,
    state: move.state,
    heldFrom: move.state === 'Held' ? active.state : null,
    batch: move.batch,
    probesPassed: 0,
    goal: move.state === 'RollingBack' && active.goal === 'forward' ? 'rollback' : active.goal,
    weight: weightAfter(active, move),
    counts: observation.counts,
    reason: move.reason,
    served: active.served || move.state === 'Done',
    stateSince: now,
    batchSince: move.batch !== active.batch || active.state === 'Queued' ? now : active.batchSince,
    endedAt: isEnded(move.state) ? now : null,
  }
  const written = await queries.advanceRelease(db, after)
  // Whoever won this race has woken us again.
  if (!written) return
  await queries.appendReleaseEvent(
    db,
    eventOf(written, context, { kind: 'state', code: move.state, params: move.reason?.params ?? {} }),
  )
  if (move.state === 'Placing' && move.batch === 0 && head?.retainedId)
    await queries.putHead(db, { ...head, retainedId: null, retainedUntil: null })
  if (move.state === 'Done')
    await queries.putHead(db, headAfter(written, workload, { head, now, hasRouter: observation.hasRouter }))
  onCommit(db, () =>
    context.log.info(
      { release: written.id, workload: workload.name, state: move.state, reason: move.reason?.code },
      'release moved',
    ),
  )
}

function weightAfter(active: Release, move: Extract<Move, { kind: 'to' }>): number {
  if (move.state === 'Gating') return batchOf({ ...active, batch: move.batch }).weight
  if (move.state === 'RollingBack' || move.state === 'RolledBack' || move.state === 'Aborted') return 0
  return move.state === 'Done' ? 100 : active.weight
}

/** The new version serves; the old one is kept ready for the way back, where a route can bring the traffic back. */
function headAfter(
  release: Release,
  workload: Workload,
  about: { readonly head: Head | undefined; readonly now: Date; readonly hasRouter: boolean },
): Head {
  const previous = about.head?.servingId ?? null
  const keeps = about.hasRouter && previous !== null && workload.keepSeconds > 0
  return {
    workloadId: workload.id,
    organizationId: workload.organizationId,
    servingId: release.id,
    retainedId: keeps ? previous : null,
    retainedUntil: keeps ? new Date(about.now.getTime() + workload.keepSeconds * SECOND_MS) : null,
  }
}

/** Counts and demand change while nothing moves; they are written only when they differ. */
async function recordCounts(
  context: ControlContext,
  state: State,
  observation: Observation,
  connection: ClusterConnection,
): Promise<void> {
  const { active, workload } = state
  assert(active, 'a release is under way')
  const demand = Math.max(
    active.demand,
    demandOf(active, countedProcessOf(active.template), workload.instances),
  )
  const changed =
    JSON.stringify(active.counts) !== JSON.stringify(observation.counts) || demand !== active.demand
  await context.transact(async (db) => {
    if (changed) await queries.advanceRelease(db, { ...active, counts: observation.counts, demand })
    await setUrls(db, workload.id, urlsOf(workload, connection.gateway))
  })
}

/** Nothing is under way: addresses are recorded, and the next look comes when the kept version's time is over. */
async function steady(
  context: ControlContext,
  connection: ClusterConnection,
  state: State,
): Promise<{ againInMs?: number | undefined }> {
  const { workload, head } = state
  await context.transact((db) => setUrls(db, workload.id, urlsOf(workload, connection.gateway)))
  const until = state.retained === undefined ? undefined : head?.retainedUntil
  return until ? { againInMs: Math.max(SECOND_MS, until.getTime() - context.clock.now().getTime() + 1) } : {}
}

async function deleteEverything(
  context: ControlContext,
  connection: ClusterConnection,
  state: State,
): Promise<{ againInMs?: number | undefined }> {
  const seen = await look(context, connection.kube, state.workload, connection)
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
    })
    await purgeWorkload(db, state.workload.id)
  })
  return {}
}

async function recordDrift(context: ControlContext, state: State, object: string): Promise<void> {
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
    readonly kind: 'state' | 'gate' | 'drift'
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
