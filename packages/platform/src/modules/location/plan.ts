/* Which Cluster an Environment goes to, and whether a grant still counts. */
import type { LocationGrantState } from '@slipway/contract'

import type { ClusterPlace, Location, LocationGrant } from './model.ts'

export type Wish = {
  /** Id or slug. */
  readonly cluster?: string | undefined
  readonly location?: string | undefined
}

export type Choice =
  | { readonly kind: 'chosen'; readonly cluster: ClusterPlace; readonly location: Location }
  | {
      readonly kind: 'refused'
      readonly why: 'cluster_unknown' | 'location_unknown' | 'location_empty' | 'elsewhere'
    }

/**
 * A named Cluster is taken; of a named Location its default Cluster, else the first by name; without any name the default Cluster of
 * the installation. Both names must agree.
 */
export function chooseCluster(
  wish: Wish,
  clusters: readonly ClusterPlace[],
  locations: readonly Location[],
): Choice {
  const location = locations.find(({ id, slug }) => id === wish.location || slug === wish.location)
  if (wish.location !== undefined && !location) return { kind: 'refused', why: 'location_unknown' }
  const there = clusters.filter(({ locationId }) => location === undefined || locationId === location.id)
  const cluster =
    wish.cluster !== undefined
      ? clusters.find(({ id, slug }) => id === wish.cluster || slug === wish.cluster)
      : (there.find(({ isDefault }) => isDefault) ??
        (location && there.toSorted((a, b) => a.slug.localeCompare(b.slug))[0]))
  if (!cluster)
    return {
      kind: 'refused',
      why: location && wish.cluster === undefined ? 'location_empty' : 'cluster_unknown',
    }
  if (!there.includes(cluster)) return { kind: 'refused', why: 'elsewhere' }
  const at = locations.find(({ id }) => id === cluster.locationId)
  return at ? { kind: 'chosen', cluster, location: at } : { kind: 'refused', why: 'location_unknown' }
}

/** How a grant stands at a moment: one with an end is over from that moment on, without anybody writing it down. */
export function standingOf(
  { state, until }: Pick<LocationGrant, 'state' | 'until'>,
  now: Date,
): LocationGrantState {
  return state === 'Granted' && until !== null && until.getTime() <= now.getTime() ? 'Ended' : state
}
