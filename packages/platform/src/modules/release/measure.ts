/*
 * Measures of one Cluster follow each other, and each counts what those before it were promised, so that two Releases do not
 * both pass on the same room. One process at a time is the engine, so a queue in memory is enough: what a leader before it let
 * through stands in the database.
 */
import { must, serialQueue, type SerialQueue } from '@slipway/kit'

import type { ControlContext } from '../../control/index.ts'
import { findWorkload } from '../app/index.ts'
import type { ClusterConnection } from '../fleet/index.ts'
import { podTemplatesOf, type ManifestInput } from './manifests.ts'
import { routedProcessOf, type Release } from './model.ts'
import { passCapacity } from './moves.ts'
import * as queries from './queries.ts'
import { measureCapacity, type Bringing } from './room.ts'
import type { State } from './state.ts'

/** Runs tasks of one Cluster one after another. */
export type Turns = <T>(clusterId: string, task: () => Promise<T>) => Promise<T>

export function turns(): Turns {
  const queues = new Map<string, SerialQueue>()
  return (clusterId, task) => {
    const queue = queues.get(clusterId) ?? serialQueue()
    queues.set(clusterId, queue)
    return queue.run(task)
  }
}

export type Measure = {
  readonly connection: ClusterConnection
  readonly state: State
  readonly active: Release
  readonly hasRouter: boolean
  readonly input: Omit<ManifestInput, 'shape'>
}

/** Lets a Release begin where there is room for it, or says what is short. @returns whether it begins */
export async function measure(context: ControlContext, inTurn: Turns, asked: Measure): Promise<boolean> {
  const { connection, state, active, hasRouter, input } = asked
  const { workload } = state
  return inTurn(workload.clusterId, async () => {
    context.signal.throwIfAborted()
    const others = await othersOf(context, asked)
    const pods = podTemplatesOf(input, active)
    const rollout = { state, workload, active, hasRouter, pods }
    const found = await measureCapacity(context, connection, { rollout, others })
    return passCapacity(context, { state, active, hasRouter }, found)
  })
}

/** Other Releases that were let through in this Cluster and may not be there in whole. */
async function othersOf(
  context: ControlContext,
  { state, connection, input }: Measure,
): Promise<readonly Bringing[]> {
  const { clusterId, id } = state.workload
  return context.transact(async (db) => {
    const others: Bringing[] = []
    for (const active of await queries.promisedReleases(db, id)) {
      const workload = must(await findWorkload(db, active.workloadId), 'a Release has a Workload')
      if (workload.clusterId !== clusterId || workload.deleting) continue
      const hasRouter = connection.gateway !== undefined && routedProcessOf(active.template) !== undefined
      const pods = podTemplatesOf({ ...input, workload, variables: new Map() }, active)
      others.push({ workload, active, hasRouter, pods })
    }
    return others
  })
}
