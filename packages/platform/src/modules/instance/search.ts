/* Instances over Workloads and Clusters, as the watches have seen them: nothing is asked. */
import type { contract, InputOf, VisibleInstance } from '@slipway/contract'
import { sortedPageOf } from '@slipway/kit'
import type { Live } from '@slipway/kube'

import type { Ctx } from '../../context.ts'
import type { Db } from '../../tables.ts'
import { placesFor, placeView, type WorkloadPlace } from '../app/index.ts'
import { WORKLOAD_LABEL, type ClusterPods } from '../fleet/index.ts'
import { instanceOf } from './manifests.ts'
import type { Instance } from './model.ts'
import { instanceView } from './views.ts'

type Query = InputOf<typeof contract.searchInstances>['query']
type Row = { readonly place: WorkloadPlace; readonly instance: Instance }

export type SearchPorts = {
  readonly clusters: readonly ClusterPods[]
  /** Numbers of the newest Release of each version, as `<workload id> <hash>`. */
  readonly findReleaseNumbers: (
    db: Db,
    versions: readonly { readonly workloadId: string; readonly hash: string }[],
  ) => Promise<ReadonlyMap<string, number>>
}

/** The worst first. */
const severity: Readonly<Record<Instance['state'], number>> = {
  Failing: 0,
  Pending: 1,
  Starting: 2,
  Running: 3,
  Ending: 4,
  Ended: 5,
  Ready: 6,
}

export async function searchInstances(ctx: Ctx, { clusters, findReleaseNumbers }: SearchPorts, query: Query) {
  const places = new Map((await placesFor(ctx, 'project:read', query)).map((place) => [place.id, place]))
  const asked = clusters.filter(({ id }) => query.cluster === undefined || query.cluster === id)
  const rows = asked.flatMap(({ id, pods }) => rowsOf(pods ?? [], places, id)).filter(filterOf(query))
  const page = sortedPageOf(rows, query, orderOf(query))
  const numbers = await findReleaseNumbers(
    ctx.db,
    page.items.map(({ place, instance }) => ({ workloadId: place.id, hash: instance.version })),
  )
  const used = new Set([...places.values()].map(({ clusterId }) => clusterId))
  return {
    ...page,
    items: page.items.map(({ place, instance }): VisibleInstance => {
      const number = numbers.get(`${place.id} ${instance.version}`)
      return { ...instanceView(instance, number, undefined), workload: placeView(place) }
    }),
    total: rows.length,
    unseen: asked
      .filter(({ id, pods }) => pods === undefined && used.has(id))
      .map(({ id, slug }) => ({ id, slug })),
  }
}

function rowsOf(
  pods: readonly Live<'pods'>[],
  places: ReadonlyMap<string, WorkloadPlace>,
  clusterId: string,
): Row[] {
  return pods.flatMap((pod): Row[] => {
    const place = places.get(pod.metadata.labels?.[WORKLOAD_LABEL] ?? '')
    // A label proves nothing: an Instance counts only where its Workload runs.
    return place?.clusterId === clusterId ? [{ place, instance: known(pod) }] : []
  })
}

/** A watched object never changes, another one takes its place: what was read from it once need not be read again. */
const readings = new WeakMap<Live<'pods'>, Instance>()

function known(pod: Live<'pods'>): Instance {
  const instance = readings.get(pod) ?? instanceOf(pod)
  readings.set(pod, instance)
  return instance
}

function filterOf({ text, node, state }: Query): (row: Row) => boolean {
  const wanted = text?.toLowerCase()
  return ({ place, instance }) =>
    (state === undefined || instance.state === state) &&
    (node === undefined || instance.node === node) &&
    (wanted === undefined || place.name.includes(wanted) || instance.name.includes(wanted))
}

function orderOf({ sort, order }: Pick<Query, 'sort' | 'order'>) {
  const keys: Readonly<Record<typeof sort, (row: Row) => string | number>> = {
    name: ({ place, instance }) => `${place.name} ${instance.name}`,
    state: ({ instance }) => severity[instance.state],
    restarts: ({ instance }) => instance.restarts,
    since: ({ instance }) => instance.since.getTime(),
    created: ({ instance }) => instance.createdAt.getTime(),
  }
  return {
    keyOf: keys[sort],
    idOf: ({ place, instance }: Row) => `${place.id}.${instance.name}`,
    descending: order === undefined ? sort !== 'name' && sort !== 'state' : order === 'desc',
  }
}
