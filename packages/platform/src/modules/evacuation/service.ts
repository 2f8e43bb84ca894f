import { SECOND_MS } from '@slipway/kit'
import { KubeError, type Kube } from '@slipway/kube'

import type { Ctx, RequestContext } from '../../context.ts'
import { wake } from '../../control/index.ts'
import { found, httpErrors } from '../../http/errors.ts'
import { placesFor, type WorkloadPlace } from '../app/index.ts'
import type { ClusterConnection } from '../fleet/index.ts'
import { asked } from '../instance/index.ts'
import { evacuationErrors } from './errors.ts'
import { nodeSightOf, type NodeSight } from './manifests.ts'
import { kinOf, type Evacuation, type Kin, type Move, type Seat, type Why } from './model.ts'
import { setSchedulable } from './nodes.ts'
import { observeScene } from './observe.ts'
import { hindranceOf } from './plan.ts'
import * as queries from './queries.ts'
import { EVACUATION_RECONCILER } from './reconciler.ts'

/**
 * Makes a node take Instances, or no more of them; a dry run only asks whether it could be done.
 * @throws {AppError} `not_found`, `node_rights_missing`
 */
export async function changeNode(
  ctx: Pick<RequestContext, 'signal' | 'dryRun'>,
  kube: Kube,
  change: { readonly node: string; readonly schedulable: boolean },
): Promise<NodeSight> {
  try {
    return nodeSightOf(await setSchedulable(kube, change, { signal: ctx.signal, dryRun: ctx.dryRun }))
  } catch (thrown) {
    if (thrown instanceof KubeError && thrown.code === 404) throw httpErrors.not_found()
    if (thrown instanceof KubeError && thrown.code === 403)
      throw evacuationErrors.node_rights_missing({ node: change.node }, { cause: thrown })
    return asked(() => Promise.reject(thrown))
  }
}

/** What a person said about a node; what an earlier drain left to be done there is forgotten. */
export async function noteChange(
  ctx: Ctx,
  about: { readonly clusterId: string; readonly node: string; readonly schedulable: boolean },
): Promise<void> {
  await queries.forgetUncordon(ctx.db, about.clusterId, about.node)
  const target = `node:${about.clusterId}/${about.node}`
  ctx.note({ target, detail: { schedulable: about.schedulable } })
}

export async function startDrain(
  ctx: Ctx,
  about: { readonly clusterId: string; readonly node: string; readonly timeoutSeconds: number },
): Promise<Evacuation> {
  const evacuation: Evacuation = {
    id: ctx.newId('eva'),
    clusterId: about.clusterId,
    node: about.node,
    kind: 'drain',
    state: 'Running',
    problem: null,
    startedBy: ctx.account.id,
    startedAt: ctx.now,
    deadlineAt: new Date(ctx.now.getTime() + about.timeoutSeconds * SECOND_MS),
    nodeBackAt: null,
    endedAt: null,
    uncordon: false,
    generation: 1,
  }
  await queries.forgetUncordon(ctx.db, about.clusterId, about.node)
  await queries.insertEvacuation(ctx.db, evacuation)
  await wake(ctx.db, EVACUATION_RECONCILER, evacuation.id)
  ctx.note({
    target: `node:${about.clusterId}/${about.node}`,
    detail: { evacuation: evacuation.id, timeoutSeconds: about.timeoutSeconds },
  })
  return evacuation
}

/** @throws {AppError} `evacuation_over`, `evacuation_not_drain` */
export async function cancelDrain(ctx: Ctx, id: string, schedulable: boolean): Promise<Evacuation> {
  const before = cancellable(found(await queries.findEvacuation(ctx.db, id)))
  const after: Evacuation = {
    ...before,
    state: 'Cancelled',
    problem: null,
    endedAt: ctx.now,
    uncordon: schedulable,
  }
  // The reconciler may have written a moment ago; a person who asks again is heard.
  if (!(await queries.updateEvacuation(ctx.db, after))) throw httpErrors.generation_conflict()
  await wake(ctx.db, EVACUATION_RECONCILER, id)
  ctx.note({ target: `node:${before.clusterId}/${before.node}`, detail: { evacuation: id, schedulable } })
  return after
}

function cancellable(evacuation: Evacuation): Evacuation {
  const { kind, state, node } = evacuation
  if (kind !== 'drain') throw evacuationErrors.evacuation_not_drain({ node })
  if (state !== 'Running') throw evacuationErrors.evacuation_over({ node, state })
  return evacuation
}

export type SeenMove = Move & { readonly place: WorkloadPlace }
export type SeenEvacuation = { readonly evacuation: Evacuation; readonly moves: readonly SeenMove[] }

type Asking = Pick<Ctx, 'db' | 'account'>

/** What the caller may see of some evacuations: the moves of Workloads that they may see. */
async function seenOf(
  { db }: Asking,
  evacuations: readonly Evacuation[],
  places: ReadonlyMap<string, WorkloadPlace>,
): Promise<SeenEvacuation[]> {
  const moves = await queries.listMoves(
    db,
    evacuations.map(({ id }) => id),
  )
  return evacuations.map((evacuation) => ({
    evacuation,
    moves: moves.flatMap((move): SeenMove[] => {
      const place = places.get(move.workloadId)
      return place && move.evacuationId === evacuation.id ? [{ ...move, place }] : []
    }),
  }))
}

async function placesSeen(asking: Asking, workload?: string): Promise<ReadonlyMap<string, WorkloadPlace>> {
  const places = await placesFor(asking, 'project:read', { workload })
  return new Map(places.map((place) => [place.id, place]))
}

/** One more than the limit, the newest first. @param seesNodes - the caller may see those that moved nothing of theirs too */
export async function listEvacuations(
  asking: Asking,
  filter: queries.EvacuationFilter & { readonly workload?: string | undefined },
  page: { readonly limit: number; readonly cursor?: string | undefined; readonly seesNodes: boolean },
): Promise<SeenEvacuation[]> {
  const places = await placesSeen(asking, filter.workload)
  const workloads = page.seesNodes && filter.workload === undefined ? undefined : [...places.keys()]
  const evacuations = await queries.listEvacuations(asking.db, { ...filter, workloads }, page)
  return seenOf(asking, evacuations, places)
}

/** @throws {AppError} `not_found`, also when nothing of the caller's moved */
export async function getEvacuation(asking: Asking, id: string, seesNodes: boolean): Promise<SeenEvacuation> {
  const evacuation = found(await queries.findEvacuation(asking.db, id))
  const [seen] = await seenOf(asking, [evacuation], await placesSeen(asking))
  return found(seesNodes || (seen?.moves.length ?? 0) > 0 ? seen : undefined)
}

export type Effect = Kin & {
  readonly place: WorkloadPlace
  readonly instances: number
  readonly ready: number
  readonly wanted: number
  readonly interrupted: boolean
  readonly why: Why | null
}
export type Preview = {
  readonly sight: NodeSight
  readonly otherNodes: number
  readonly effects: readonly Effect[]
  readonly builds: number
  readonly others: number
}

const NODES_MAX = 10_000

/** What a drain would do now. Every budget is asked, by a question that changes nothing. @throws {AppError} `not_found` */
export async function previewDrain(
  ctx: RequestContext,
  connection: ClusterConnection,
  at: { readonly clusterId: string; readonly node: string },
): Promise<Preview> {
  const { kube } = connection
  const { signal } = ctx
  const scene = await asked(() => observeScene(connection, { ...at, known: [] }, { read: ctx.read, signal }))
  const sight = found(scene.sight)
  const here = scene.seats.filter((seat) => seat.node === at.node)
  const kins = new Map(here.map((seat) => [kinOf(seat), seat]))
  const effects = [...kins].map(([kin, seat]): Effect & { readonly seat: Seat } => {
    const all = scene.seats.filter((one) => kinOf(one) === kin)
    const ready = all.filter((one) => one.ready && !one.leaving)
    const wanted = scene.wanted.get(kin) ?? 0
    return {
      ...seat,
      seat,
      place: found(scene.workloads.get(seat.workloadId)),
      instances: all.filter((one) => one.node === at.node).length,
      ready: ready.length,
      wanted,
      interrupted: wanted > 0 && ready.length < 2,
      why: hindranceOf(kin, scene) ?? null,
    }
  })
  const nodes = await asked(() => kube.list('nodes', { limit: NODES_MAX, signal }))
  const told: Effect[] = []
  for (const { seat, ...effect } of effects)
    told.push({ ...effect, why: effect.why ?? (await budgetOf(kube, seat, signal)) })
  return {
    sight,
    otherNodes: nodes.items
      .map(nodeSightOf)
      .filter(({ name, ready, schedulable }) => name !== at.node && ready && schedulable).length,
    effects: told.toSorted(
      (a, b) => a.place.name.localeCompare(b.place.name) || a.process.localeCompare(b.process),
    ),
    builds: scene.builds,
    others: scene.pods - here.length - scene.builds,
  }
}

/** What the Cluster would say to the end of an Instance; null when it would let it go. */
async function budgetOf(kube: Kube, seat: Seat, signal: AbortSignal): Promise<Why | null> {
  const { name, namespace, uid } = seat
  try {
    await kube.evict({ name, namespace }, { dryRun: true, preconditions: { uid }, signal })
    return null
  } catch (thrown) {
    if (!(thrown instanceof KubeError)) throw thrown
    if (thrown.code === 429)
      return { code: 'evacuation_budget', params: { problem: thrown.message.slice(0, 300) } }
    if (thrown.code === 403) return { code: 'node_rights_missing', params: { node: seat.node ?? '' } }
    // Gone meanwhile; it hinders nobody.
    if (thrown.code === 404 || thrown.code === 409) return null
    return asked(() => Promise.reject(thrown))
  }
}
