import type * as views from '@slipway/contract'

import { placeView, type WorkloadPlace } from '../app/index.ts'
import type { Pool, Rent } from './model.ts'
import { rentStateOf } from './plan.ts'
import { strangersIn, type Sight } from './service.ts'

type Slugs = ReadonlyMap<string, string>

/** @param projects - short names of the Projects that the caller may see */
export function poolView(
  pool: Pool,
  { rents, projects, now }: { readonly rents: readonly Rent[]; readonly projects: Slugs; readonly now: Date },
): views.Pool {
  const rent = rents.find(({ poolId }) => poolId === pool.id)
  const slug = rent && projects.get(rent.projectId)
  const known = new Set(pool.members.map(({ name }) => name))
  const awaited = pool.nodes
    .filter((name) => !known.has(name))
    .map((name) => ({ name, by: 'name' as const, settled: false }))
  return {
    id: pool.id,
    clusterId: pool.clusterId,
    slug: pool.slug,
    name: pool.name,
    exclusive: pool.exclusive,
    selector: pool.selector && { ...pool.selector },
    nodes: [...pool.members, ...awaited].toSorted((a, b) => a.name.localeCompare(b.name)),
    rent: rent
      ? {
          project: slug === undefined ? null : { id: rent.projectId, slug },
          state: rentStateOf(rent, now),
          isDefault: rent.isDefault,
          from: rent.from.toISOString(),
          until: rent.until.toISOString(),
        }
      : null,
    problem: pool.problem && { code: pool.problem.code, params: { ...pool.problem.params } },
    deleting: pool.deleting,
    createdAt: pool.createdAt.toISOString(),
  }
}

export function rentView(
  rent: Rent,
  { pools, projects, now }: { readonly pools: Slugs; readonly projects: Slugs; readonly now: Date },
): views.PoolRent {
  return {
    id: rent.id,
    pool: { id: rent.poolId, slug: pools.get(rent.poolId) ?? '' },
    clusterId: rent.clusterId,
    project: { id: rent.projectId, slug: projects.get(rent.projectId) ?? '' },
    state: rentStateOf(rent, now),
    isDefault: rent.isDefault,
    comment: rent.comment,
    rentedBy: rent.rentedBy,
    from: rent.from.toISOString(),
    until: rent.until.toISOString(),
    endedAt: rent.endedAt?.toISOString() ?? (rent.until <= now ? rent.until.toISOString() : null),
  }
}

export function previewView(
  sight: Sight,
  projectId: string,
  places: ReadonlyMap<string, WorkloadPlace>,
): views.RentPreview {
  const guests = sight.guests.flatMap((guest): views.PoolGuest[] => {
    const place = places.get(guest.workloadId)
    if (!place) return []
    const { instances, nodes } = guest
    return [
      { workload: placeView(place), instances, nodes: [...nodes], stranger: guest.projectId !== projectId },
    ]
  })
  return {
    nodes: [...sight.nodes],
    guests: guests.toSorted((a, b) => a.workload.name.localeCompare(b.workload.name)),
    strangers: strangersIn(sight, projectId),
    builds: sight.builds,
    others: sight.others,
  }
}
