/*
 * Which node belongs to which Pool, and what is to be written on the nodes so that it holds. Everything follows from what the
 * database wants and what the nodes carry, so a pass can be broken off and repeated anywhere.
 *
 * A node belongs to the Pool that names it; else to the one whose label it brought along when it joined, which is from then on
 * by name; else to the oldest one whose labels it carries. Our own label is told from one that was brought along by an annotation
 * of the same name, so that a node that is taken out of a Pool does not come back by the label that is still on it.
 */
import type { RentState } from '@slipway/contract'
import { DAY_MS } from '@slipway/kit'

import { POOL_LABEL } from '../fleet/index.ts'
import type { Member, NodeChange, NodeSight, Pool, Rent, Taint, Why } from './model.ts'

/** A rent that ends within this time is one to be thought of. */
const ENDING_MS = 7 * DAY_MS
/** Names that a problem tells. */
const NAMES_MAX = 5
const HOSTNAME_LABEL = 'kubernetes.io/hostname'
const LABELS_MAX = 200
const VALUES_MAX = 200

export type PoolWish = Pick<Pool, 'id' | 'slug' | 'selector' | 'nodes' | 'deleting'> & {
  /** Its nodes take only those who name it. */
  readonly closed: boolean
}

export type PoolPlan = {
  readonly changes: readonly NodeChange[]
  readonly members: ReadonlyMap<string, readonly Member[]>
  /** Nodes that brought the label of a Pool along, by Pool: they are to be named from now on. */
  readonly adopted: ReadonlyMap<string, readonly string[]>
  /** Nodes that a Pool names and the Cluster does not have. */
  readonly missing: ReadonlyMap<string, readonly string[]>
  /** Nodes that carry the labels of a Pool and belong to another one. */
  readonly contested: ReadonlyMap<string, readonly string[]>
}

/** @param pools - of one Cluster, the oldest first */
export function planPools(pools: readonly PoolWish[], nodes: readonly NodeSight[]): PoolPlan {
  const kept = pools.filter(({ deleting }) => !deleting)
  const placed = nodes.map((node) => ({ node, place: placeOf(kept, node) }))
  const changes = placed.flatMap(({ node, place }) => changeOf(node, place?.pool) ?? [])
  const changing = new Set(changes.map(({ name }) => name))
  const names = new Set(nodes.map(({ name }) => name))
  const perPool = <T>(pick: (pool: PoolWish) => readonly T[]): ReadonlyMap<string, readonly T[]> =>
    new Map(kept.map((pool) => [pool.id, pick(pool)]))
  const memberOf = ({ name }: NodeSight, by: Place['by']): Member => ({
    name,
    by: by === 'labels' ? 'labels' : 'name',
    settled: !changing.has(name),
  })
  return {
    changes,
    members: perPool(({ id }) =>
      placed.flatMap(({ node, place }) => (place?.pool.id === id ? [memberOf(node, place.by)] : [])),
    ),
    adopted: perPool(({ id }) =>
      placed.flatMap(({ node, place }) =>
        place?.by === 'brought' && place.pool.id === id ? [node.name] : [],
      ),
    ),
    missing: perPool((pool) => pool.nodes.filter((name) => !names.has(name))),
    contested: perPool((pool) =>
      placed.flatMap(({ node, place }) =>
        place && place.pool.id !== pool.id && selects(pool, node) ? [node.name] : [],
      ),
    ),
  }
}

type Place = { readonly pool: PoolWish; readonly by: 'name' | 'brought' | 'labels' }

function placeOf(pools: readonly PoolWish[], node: NodeSight): Place | undefined {
  const named = pools.find(({ nodes }) => nodes.includes(node.name))
  if (named) return { pool: named, by: 'name' }
  const brought = node.marked === undefined ? node.labels[POOL_LABEL] : undefined
  const joined = pools.find(({ slug }) => slug === brought)
  if (joined) return { pool: joined, by: 'brought' }
  const chosen = pools.find((pool) => selects(pool, node))
  return chosen && { pool: chosen, by: 'labels' }
}

function selects({ selector }: Pick<PoolWish, 'selector'>, { labels }: NodeSight): boolean {
  return selector !== null && Object.entries(selector).every(([name, value]) => labels[name] === value)
}

function changeOf(node: NodeSight, pool: PoolWish | undefined): NodeChange | undefined {
  // A label that somebody else wrote, for a Pool that there is not, is theirs.
  const isOurs = pool !== undefined || node.marked !== undefined
  const has = node.labels[POOL_LABEL]
  const wanted = pool?.slug
  const labels: Record<string, string | null> =
    isOurs && has !== wanted ? { [POOL_LABEL]: wanted ?? null } : {}
  for (const [name, value] of Object.entries(node.facts))
    if (node.labels[name] !== value) labels[name] = value
  const mark = node.marked === wanted ? undefined : (wanted ?? null)
  const taints = isOurs ? changedTaints(node, pool) : undefined
  if (Object.keys(labels).length === 0 && mark === undefined && taints === undefined) return undefined
  const { name, resourceVersion } = node
  return { name, resourceVersion, labels, mark, taints }
}

/** All taints of a node as they should be; undefined when they are. Those of others stay as they are. */
function changedTaints({ taints }: NodeSight, pool: PoolWish | undefined): readonly Taint[] | undefined {
  const ours = taints.filter(({ key }) => key === POOL_LABEL)
  const wanted: readonly Taint[] =
    pool?.closed === true ? [{ key: POOL_LABEL, value: pool.slug, effect: 'NoSchedule' }] : []
  const text = (list: readonly Taint[]): string =>
    list.map(({ value, effect }) => `${value ?? ''}:${effect}`).join(' ')
  if (text(ours) === text(wanted)) return undefined
  return [...taints.filter(({ key }) => key !== POOL_LABEL), ...wanted]
}

/** A rent ends at its moment, also when nobody has written that down yet. */
export function rentStateOf({ until, endedAt }: Pick<Rent, 'until' | 'endedAt'>, now: Date): RentState {
  const leftMs = until.getTime() - now.getTime()
  if (endedAt !== null || leftMs <= 0) return 'Ended'
  return leftMs <= ENDING_MS ? 'Ending' : 'Active'
}

/** What a list of rents in a state is narrowed to. */
export function rentFilterOf(
  state: RentState | undefined,
  now: Date,
): { readonly open?: boolean; readonly endsBefore?: Date; readonly endsFrom?: Date } {
  const soon = new Date(now.getTime() + ENDING_MS)
  if (state === 'Active') return { open: true, endsFrom: soon }
  if (state === 'Ending') return { open: true, endsBefore: soon }
  return state === 'Ended' ? { open: false } : {}
}

/** Why a Pool is not as it should be, as far as its nodes tell. */
export function problemOf(plan: PoolPlan, poolId: string): Why | null {
  const text = (names: readonly string[]): string => names.slice(0, NAMES_MAX).join(', ')
  const missing = plan.missing.get(poolId) ?? []
  if (missing.length > 0)
    return { code: 'pool_nodes_missing', params: { count: missing.length, nodes: text(missing) } }
  const contested = plan.contested.get(poolId) ?? []
  if (contested.length > 0)
    return { code: 'pool_nodes_contested', params: { count: contested.length, nodes: text(contested) } }
  return null
}

export type PoolChoice =
  | { readonly kind: 'chosen'; readonly pool: string | undefined }
  | { readonly kind: 'unknown'; readonly pool: string }
  | { readonly kind: 'elsewhere'; readonly pool: string; readonly until: Date }

/**
 * Where a Workload of a Project runs: in the Pool that is named, when nobody else rents it; else in the one that its Project has
 * made its default; else anywhere.
 * @param rents - those of this Cluster that have not ended
 */
export function choosePool(
  wanted: string | undefined,
  projectId: string,
  {
    pools,
    rents,
  }: { readonly pools: readonly Pick<Pool, 'id' | 'slug' | 'deleting'>[]; readonly rents: readonly Rent[] },
): PoolChoice {
  const standard = rents.find((rent) => rent.isDefault && rent.projectId === projectId)
  const pool =
    wanted === undefined
      ? pools.find(({ id }) => id === standard?.poolId)
      : pools.find(({ slug, deleting }) => slug === wanted && !deleting)
  if (!pool)
    return wanted === undefined ? { kind: 'chosen', pool: undefined } : { kind: 'unknown', pool: wanted }
  const rent = rents.find(({ poolId }) => poolId === pool.id)
  if (rent && rent.projectId !== projectId) return { kind: 'elsewhere', pool: pool.slug, until: rent.until }
  return { kind: 'chosen', pool: pool.slug }
}

/** What nodes carry, by label and value; what names the node itself is no choice. */
export function labelCounts(nodes: readonly Pick<NodeSight, 'labels'>[]): readonly {
  readonly label: string
  readonly values: { readonly value: string; readonly nodes: number }[]
}[] {
  const counts = new Map<string, Map<string, number>>()
  for (const { labels } of nodes)
    for (const [label, value] of Object.entries(labels)) {
      if (label === HOSTNAME_LABEL) continue
      const values = counts.get(label) ?? new Map<string, number>()
      values.set(value, (values.get(value) ?? 0) + 1)
      counts.set(label, values)
    }
  return [...counts]
    .map(([label, values]) => ({
      label,
      values: [...values]
        .map(([value, count]) => ({ value, nodes: count }))
        .toSorted((a, b) => b.nodes - a.nodes || a.value.localeCompare(b.value, 'en', { numeric: true }))
        .slice(0, VALUES_MAX),
    }))
    .toSorted((a, b) => a.label.localeCompare(b.label))
    .slice(0, LABELS_MAX)
}
