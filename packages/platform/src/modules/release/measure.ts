/*
 * Measures of one Cluster follow each other, and each counts what those before it were promised, so that two Releases do not
 * both pass on the same room. One process at a time is the engine, so a mark in memory is enough: what a leader before it let
 * through stands in the database. Who finds a measure under way comes again, so that passes with other work are not held up.
 */
import type { ControlContext } from '../../control/index.ts'
import { findWorkloads } from '../app/index.ts'
import type { ClusterConnection } from '../fleet/index.ts'
import { podTemplatesOf, type ManifestInput } from './manifests.ts'
import { routedProcessOf, type Release } from './model.ts'
import { passCapacity } from './moves.ts'
import * as queries from './queries.ts'
import { measureCapacity, type Bringing } from './room.ts'
import type { State } from './state.ts'

/** Ids of the Clusters that are being measured. */
export type Measuring = Set<string>

export type Measure = {
  readonly connection: ClusterConnection
  readonly state: State
  readonly active: Release
  readonly hasRouter: boolean
  readonly input: Omit<ManifestInput, 'shape'>
}

/** Lets a Release begin where there is room for it, or says what is short. */
export async function measure(
  context: ControlContext,
  measuring: Measuring,
  asked: Measure,
): Promise<'begins' | 'waits' | 'busy'> {
  const { connection, state, active, hasRouter, input } = asked
  const { workload } = state
  if (measuring.has(workload.clusterId)) return 'busy'
  measuring.add(workload.clusterId)
  try {
    const others = await othersOf(context, asked)
    const pods = podTemplatesOf(input, active)
    const rollout = { state, workload, active, hasRouter, pods }
    const found = await measureCapacity(context, connection, { rollout, others })
    return (await passCapacity(context, { state, active, hasRouter }, found)) ? 'begins' : 'waits'
  } finally {
    measuring.delete(workload.clusterId)
  }
}

/** Other Releases that were let through in this Cluster and may not be there in whole. */
async function othersOf(
  context: ControlContext,
  { state, connection, input }: Measure,
): Promise<readonly Bringing[]> {
  const { clusterId, id } = state.workload
  return context.transact(async (db) => {
    const releases = await queries.promisedReleases(db, id)
    const found = await findWorkloads(
      db,
      releases.map(({ workloadId }) => workloadId),
    )
    const workloads = new Map(found.map((workload) => [workload.id, workload]))
    return releases.flatMap((active): Bringing[] => {
      const workload = workloads.get(active.workloadId)
      if (!workload || workload.clusterId !== clusterId || workload.deleting) return []
      const hasRouter = connection.gateway !== undefined && routedProcessOf(active.template) !== undefined
      const pods = podTemplatesOf({ ...input, workload, variables: new Map() }, active)
      return [{ workload, active, hasRouter, pods }]
    })
  })
}
