import { isUniqueViolation, jsonb } from '@slipway/db'
import { decodeTimeCursor } from '@slipway/kit'

import type { Db } from '../../tables.ts'
import { isOneOf } from '../access/index.ts'
import { evacuationErrors } from './errors.ts'
import type { Evacuation, Move } from './model.ts'
import type { EvacuationTable, MoveTable } from './tables.ts'

const json = <T>(value: T | null) => (value === null ? null : jsonb<T>(value))

/** @throws {AppError} `node_draining` when one of that kind runs */
export async function insertEvacuation(db: Db, one: Evacuation): Promise<void> {
  const values = {
    id: one.id,
    cluster_id: one.clusterId,
    node: one.node,
    kind: one.kind,
    started_by: one.startedBy,
    started_at: one.startedAt,
    deadline_at: one.deadlineAt,
    ...changeableOf(one),
    generation: one.generation,
  }
  try {
    await db.insertInto('evacuation_run').values(values).execute()
  } catch (thrown) {
    if (isUniqueViolation(thrown)) throw evacuationErrors.node_draining({ node: one.node }, { cause: thrown })
    throw thrown
  }
}

function changeableOf(one: Evacuation) {
  return {
    state: one.state,
    problem: json(one.problem),
    node_back_at: one.nodeBackAt,
    ended_at: one.endedAt,
    uncordon: one.uncordon,
  }
}

/** Writes over what was read; false when somebody else wrote since. */
export async function updateEvacuation(db: Db, after: Evacuation): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('evacuation_run')
    .set({ ...changeableOf(after), generation: after.generation + 1 })
    .where('id', '=', after.id)
    .where('generation', '=', after.generation)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

export async function putMoves(db: Db, moves: readonly Move[]): Promise<void> {
  for (const move of moves) {
    const changeable = {
      state: move.state,
      why: json(move.why),
      to_pod: move.toPod,
      to_node: move.toNode,
      changed_at: move.changedAt,
    }
    await db
      .insertInto('evacuation_move')
      .values({
        evacuation_id: move.evacuationId,
        organization_id: move.organizationId,
        workload_id: move.workloadId,
        process: move.process,
        version: move.version,
        pod_uid: move.podUid,
        pod: move.pod,
        ...changeable,
      })
      .onConflict((conflict) => conflict.columns(['evacuation_id', 'pod_uid']).doUpdateSet(changeable))
      .execute()
  }
}

export async function findEvacuation(db: Db, id: string): Promise<Evacuation | undefined> {
  const row = await db.selectFrom('evacuation_run').selectAll().where('id', '=', id).executeTakeFirst()
  return row && evacuationOf(row)
}

/** A node runs some hundreds of Instances. */
const MOVES_MAX = 2_000

export async function listMoves(db: Db, evacuationIds: readonly string[]): Promise<Move[]> {
  const rows = await db
    .selectFrom('evacuation_move')
    .selectAll()
    .where(isOneOf('evacuation_id', evacuationIds))
    .orderBy('evacuation_id')
    .orderBy('pod')
    .limit(MOVES_MAX * Math.max(1, evacuationIds.length))
    .execute()
  return rows.map(moveOf)
}

/** Evacuations with something left to be brought about. */
export async function openIds(db: Db): Promise<string[]> {
  const rows = await db
    .selectFrom('evacuation_run')
    .select('id')
    .where((e) => e.or([e('state', '=', 'Running'), e('uncordon', '=', true)]))
    .limit(10_000)
    .execute()
  return rows.map(({ id }) => id)
}

/** Whoever says now how a node is to be goes before what an earlier drain left to be done. */
export async function forgetUncordon(db: Db, clusterId: string, node: string): Promise<void> {
  await db
    .updateTable('evacuation_run')
    .set((e) => ({ uncordon: false, generation: e('generation', '+', 1) }))
    .where('cluster_id', '=', clusterId)
    .where('node', '=', node)
    .where('uncordon', '=', true)
    .execute()
}

/** Nodes of a Cluster that are known to be lost. */
export async function lostNodes(db: Db, clusterId: string): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('evacuation_run')
    .select('node')
    .where('cluster_id', '=', clusterId)
    .where('kind', '=', 'loss')
    .where('state', '=', 'Running')
    .execute()
  return new Set(rows.map(({ node }) => node))
}

export async function forgetEvacuations(db: Db, before: Date): Promise<void> {
  await db.deleteFrom('evacuation_run').where('ended_at', '<', before).execute()
}

export type EvacuationFilter = {
  readonly cluster?: string | undefined
  readonly node?: string | undefined
  readonly kind?: Evacuation['kind'] | undefined
  readonly state?: Evacuation['state'] | undefined
  /** Only those that moved something of one of these Workloads. */
  readonly workloads?: readonly string[] | undefined
}

/** One row more than the limit, the newest first. */
export async function listEvacuations(
  db: Db,
  filter: EvacuationFilter,
  page: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<Evacuation[]> {
  let query = db
    .selectFrom('evacuation_run')
    .selectAll()
    .orderBy('started_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
  const { cluster, node, kind, state, workloads } = filter
  if (cluster !== undefined) query = query.where('cluster_id', '=', cluster)
  if (node !== undefined) query = query.where('node', '=', node)
  if (kind !== undefined) query = query.where('kind', '=', kind)
  if (state !== undefined) query = query.where('state', '=', state)
  if (workloads !== undefined)
    query = query.where((e) =>
      e.exists(
        e
          .selectFrom('evacuation_move')
          .select('pod_uid')
          .whereRef('evacuation_id', '=', 'evacuation_run.id')
          .where(isOneOf('workload_id', workloads)),
      ),
    )
  if (page.cursor !== undefined) {
    const [at, id] = decodeTimeCursor(page.cursor)
    query = query.where((e) => e(e.refTuple('started_at', 'id'), '<', e.tuple(at, id)))
  }
  return (await query.execute()).map(evacuationOf)
}

function evacuationOf(row: EvacuationTable): Evacuation {
  return {
    id: row.id,
    clusterId: row.cluster_id,
    node: row.node,
    kind: row.kind,
    state: row.state,
    problem: row.problem,
    startedBy: row.started_by,
    startedAt: row.started_at,
    deadlineAt: row.deadline_at,
    nodeBackAt: row.node_back_at,
    endedAt: row.ended_at,
    uncordon: row.uncordon,
    generation: row.generation,
  }
}

function moveOf(row: MoveTable): Move {
  return {
    evacuationId: row.evacuation_id,
    organizationId: row.organization_id,
    workloadId: row.workload_id,
    process: row.process,
    version: row.version,
    podUid: row.pod_uid,
    pod: row.pod,
    state: row.state,
    why: row.why,
    toPod: row.to_pod,
    toNode: row.to_node,
    changedAt: row.changed_at,
  }
}
