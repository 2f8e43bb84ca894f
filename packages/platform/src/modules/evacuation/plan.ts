/*
 * Where each Instance that leaves a node stands, and which may be asked to leave next.
 *
 * A drain lets one Instance of a process leave at a time, and only while all that should be there are ready: the Cluster's own
 * disruption budgets forbid too much only where somebody wrote one. An Instance that is not ready may always leave. What took
 * the place of one that left is the oldest Instance of the same version that began after the evacuation, is ready, runs
 * elsewhere, and took nobody else's place. Nothing here needs to know what was done before: pods tell it.
 */
import { kinOf, type Evacuation, type Move, type Scene, type Seat, type Why } from './model.ts'

/** Instances of one node that are on their way at the same time, over all processes. */
const LEAVING_MAX = 10

export type EvacuationPlan = {
  /** All moves as they are now. */
  readonly moves: readonly Move[]
  readonly evict: readonly Seat[]
  readonly end: 'Done' | 'Expired' | undefined
  readonly nodeBackAt: Date | null
}

export function planEvacuation(
  evacuation: Evacuation,
  known: readonly Move[],
  scene: Scene,
  now: Date,
): EvacuationPlan {
  const moves = withPlaces(
    evacuation,
    withStates(evacuation, withNewcomers(evacuation, known, scene, now), scene, now),
    scene,
    now,
  )
  const { evict, waits } = evacuation.kind === 'drain' ? nextToLeave(evacuation, moves, scene) : NOBODY
  const told = moves.map((move) =>
    move.state === 'Waiting' ? changed(move, { why: waits.get(move.podUid) ?? null }, now) : move,
  )
  const { nodeBackAt } = evacuation
  return {
    moves: told,
    evict,
    end: endOf(evacuation, told, scene, now),
    nodeBackAt: evacuation.kind === 'loss' && scene.node === 'ready' ? (nodeBackAt ?? now) : nodeBackAt,
  }
}

const NOBODY = { evict: [], waits: new Map<string, Why>() } as const

function isOpen({ state }: Pick<Move, 'state'>): boolean {
  return state === 'Waiting' || state === 'Leaving'
}

function changed(move: Move, change: Partial<Move>, now: Date): Move {
  const next = { ...move, ...change }
  return next.state === move.state && JSON.stringify(next.why) === JSON.stringify(move.why)
    ? move
    : { ...next, changedAt: next.state === move.state ? move.changedAt : now }
}

/** What runs on the node and is not known yet. On a node that came back new ones begin, which is no move. */
function withNewcomers(
  { id, node, kind }: Evacuation,
  known: readonly Move[],
  scene: Scene,
  now: Date,
): readonly Move[] {
  if (kind === 'loss' && scene.node === 'ready') return known
  const uids = new Set(known.map(({ podUid }) => podUid))
  const fresh = scene.seats.filter((seat) => seat.node === node && !uids.has(seat.uid))
  return [
    ...known,
    ...fresh.map(({ workloadId, organizationId, process, version, uid, name }): Move => ({
      evacuationId: id,
      organizationId,
      workloadId,
      process,
      version,
      podUid: uid,
      pod: name,
      state: 'Waiting',
      why: null,
      toPod: null,
      toNode: null,
      changedAt: now,
    })),
  ]
}

function withStates(
  evacuation: Evacuation,
  moves: readonly Move[],
  { seats, node }: Scene,
  now: Date,
): readonly Move[] {
  const byUid = new Map(seats.map((seat) => [seat.uid, seat]))
  return moves.map((move) => {
    if (!isOpen(move)) return move
    const seat = byUid.get(move.podUid)
    if (!seat || seat.leaving) return changed(move, { state: 'Leaving', why: null }, now)
    if (evacuation.kind === 'loss' && node === 'ready' && seat.ready)
      return changed(move, { state: 'Stayed', why: null }, now)
    return move
  })
}

function withPlaces(
  { node, startedAt }: Evacuation,
  moves: readonly Move[],
  { seats, wanted }: Scene,
  now: Date,
): readonly Move[] {
  const leavers = new Set(moves.map(({ podUid }) => podUid))
  const taken = new Set(
    moves.flatMap((one) => (one.toPod === null ? [] : [`${one.workloadId} ${one.toPod}`])),
  )
  // Clusters tell when a pod was made in whole seconds.
  const fromMs = Math.floor(startedAt.getTime() / 1_000) * 1_000
  const elsewhere = seats.filter((seat) => seat.ready && !seat.leaving && seat.node !== node)
  const heirs = elsewhere
    .filter(({ uid, createdAt }) => createdAt.getTime() >= fromMs && !leavers.has(uid))
    .toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || a.name.localeCompare(b.name))
  return moves.map((move) => {
    if (move.state !== 'Leaving') return move
    const kin = kinOf(move)
    const heir = heirs.find((one) => kinOf(one) === kin && !taken.has(`${one.workloadId} ${one.name}`))
    if (heir) {
      taken.add(`${heir.workloadId} ${heir.name}`)
      return changed(move, { state: 'Moved', toPod: heir.name, toNode: heir.node }, now)
    }
    const serving = elsewhere.filter((one) => kinOf(one) === kin).length
    return serving >= (wanted.get(kin) ?? 0) ? changed(move, { state: 'Gone' }, now) : move
  })
}

/** Whether one more Instance of a process may end: all that should be there are ready. Undefined when it may. */
export function hindranceOf(
  kin: string,
  { seats, wanted }: Pick<Scene, 'seats' | 'wanted'>,
): Why | undefined {
  const ready = seats.filter((seat) => kinOf(seat) === kin && seat.ready && !seat.leaving).length
  const all = wanted.get(kin) ?? 0
  return ready >= all ? undefined : { code: 'evacuation_not_whole', params: { ready, wanted: all } }
}

function nextToLeave(
  { node }: Evacuation,
  moves: readonly Move[],
  scene: Scene,
): { readonly evict: readonly Seat[]; readonly waits: ReadonlyMap<string, Why> } {
  const waits = new Map<string, Why>()
  const evict: Seat[] = []
  const asked = new Set<string>()
  const room = LEAVING_MAX - moves.filter(({ state }) => state === 'Leaving').length
  const byUid = new Map(scene.seats.map((seat) => [seat.uid, seat]))
  for (const move of moves) {
    const seat = byUid.get(move.podUid)
    if (move.state !== 'Waiting' || !seat || seat.node !== node) continue
    const kin = kinOf(move)
    const hindrance = seat.ready ? hindranceOf(kin, scene) : undefined
    if (hindrance) waits.set(move.podUid, hindrance)
    else if (!asked.has(kin) && evict.length < room) {
      asked.add(kin)
      evict.push(seat)
      // What the Cluster said when it was asked before holds until it is asked again.
      if (move.why?.code === 'evacuation_budget') waits.set(move.podUid, move.why)
    }
  }
  return { evict, waits }
}

function endOf(
  { kind, node, deadlineAt }: Evacuation,
  moves: readonly Move[],
  { seats, builds }: Scene,
  now: Date,
): EvacuationPlan['end'] {
  const isEmpty = builds === 0 && !seats.some((seat) => seat.node === node)
  if (!moves.some(isOpen) && (kind === 'loss' || isEmpty)) return 'Done'
  return deadlineAt !== null && now >= deadlineAt ? 'Expired' : undefined
}
