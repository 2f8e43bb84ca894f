import { isUniqueViolation, jsonb } from '@slipway/db'
import { decodeNumberCursor } from '@slipway/kit'

import type { Db } from '../../tables.ts'
import { isOneOf } from '../access/index.ts'
import { releaseErrors } from './errors.ts'
import { KEPT_RELEASES, type Head, type Release, type ReleaseEvent } from './model.ts'
import type { HeadTable, ReleaseEventTable, ReleaseTable } from './tables.ts'

type PageInput = { readonly limit: number; readonly cursor?: string | undefined }

function rowOf(release: Release) {
  return {
    id: release.id,
    organization_id: release.organizationId,
    project_id: release.projectId,
    workload_id: release.workloadId,
    number: release.number,
    image: release.image,
    config_revision: release.configRevision,
    template: jsonb(release.template),
    nonce: release.nonce,
    hash: release.hash,
    batches: jsonb(release.batches),
    plan: jsonb(release.plan),
    from_id: release.fromId,
    previous_id: release.previousId,
    state: release.state,
    held_from: release.heldFrom,
    goal: release.goal,
    paused: release.paused,
    batch: release.batch,
    approved_batch: release.approvedBatch,
    instances: jsonb(release.instances),
    asked: release.asked,
    demand: release.demand,
    old_demand: release.oldDemand,
    reserve: release.reserve,
    probes_passed: release.probesPassed,
    weight: release.weight,
    counts: jsonb(release.counts),
    reason: release.reason === null ? null : jsonb(release.reason),
    served: release.served,
    pinned: release.pinned,
    state_since: release.stateSince,
    batch_since: release.batchSince,
    generation: release.generation,
    created_by: release.createdBy,
    created_at: release.createdAt,
    ended_at: release.endedAt,
  }
}

/** @throws {AppError} `release_in_progress` when another one of the Workload has not ended */
export async function insertRelease(db: Db, release: Release, active: Release | undefined): Promise<void> {
  if (active) throw releaseErrors.release_in_progress({ number: active.number })
  try {
    await db.insertInto('release_release').values(rowOf(release)).execute()
  } catch (thrown) {
    if (isUniqueViolation(thrown))
      throw releaseErrors.release_in_progress({ number: release.number - 1 }, { cause: thrown })
    throw thrown
  }
}

export async function findRelease(db: Db, id: string): Promise<Release | undefined> {
  const row = await db.selectFrom('release_release').selectAll().where('id', '=', id).executeTakeFirst()
  return row && releaseOf(row)
}

/** The Release, locked until the transaction ends: a command of a person waits for the engine's write and sees it. */
export async function lockRelease(db: Db, id: string): Promise<Release | undefined> {
  const row = await db
    .selectFrom('release_release')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  return row && releaseOf(row)
}

export async function findActive(db: Db, workloadId: string): Promise<Release | undefined> {
  const row = await db
    .selectFrom('release_release')
    .selectAll()
    .where('workload_id', '=', workloadId)
    .where('ended_at', 'is', null)
    .executeTakeFirst()
  return row && releaseOf(row)
}

/** As many Releases under way are looked at when room is measured. */
const PROMISED_MAX = 1_000

/** Releases of other Workloads that are under way and past the measure of room. */
export async function promisedReleases(db: Db, besides: string): Promise<Release[]> {
  const rows = await db
    .selectFrom('release_release')
    .selectAll()
    .where('workload_id', '<>', besides)
    .where('ended_at', 'is', null)
    .where('state', '<>', 'Queued')
    .where('goal', '=', 'forward')
    .orderBy('id')
    .limit(PROMISED_MAX)
    .execute()
  return rows.map(releaseOf)
}

/** Number of the newest Release of a Workload; 0 before the first. */
export async function lastNumber(db: Db, workloadId: string): Promise<number> {
  const row = await db
    .selectFrom('release_release')
    .select('number')
    .where('workload_id', '=', workloadId)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.number ?? 0
}

/** Writes a Release unless somebody wrote it since it was read; undefined means that race was lost. */
export async function advanceRelease(db: Db, release: Release): Promise<Release | undefined> {
  const row = await db
    .updateTable('release_release')
    .set({ ...rowOf(release), generation: release.generation + 1 })
    .where('id', '=', release.id)
    .where('generation', '=', release.generation)
    .returningAll()
    .executeTakeFirst()
  return row && releaseOf(row)
}

/** One row more than the limit, newest first. */
export async function listReleases(db: Db, workloadId: string, page: PageInput): Promise<Release[]> {
  let query = db
    .selectFrom('release_release')
    .selectAll()
    .where('workload_id', '=', workloadId)
    .orderBy('number', 'desc')
    .limit(page.limit + 1)
  if (page.cursor !== undefined) query = query.where('number', '<', decodeNumberCursor(page.cursor))
  return (await query.execute()).map(releaseOf)
}

/** Ids of the Releases of a Workload that one may return to: the newest that served or run, and pinned ones. */
export async function keptIds(db: Db, workloadId: string): Promise<ReadonlySet<string>> {
  const newest = await db
    .selectFrom('release_release')
    .select('id')
    .where('workload_id', '=', workloadId)
    .orderBy('number', 'desc')
    .limit(KEPT_RELEASES)
    .execute()
  const pinned = await db
    .selectFrom('release_release')
    .select('id')
    .where('workload_id', '=', workloadId)
    .where('pinned', '=', true)
    .limit(1_000)
    .execute()
  const head = await findHead(db, workloadId)
  const running = [head?.servingId, head?.retainedId].filter((id) => id !== undefined && id !== null)
  return new Set([...newest.map(({ id }) => id), ...pinned.map(({ id }) => id), ...running])
}

export async function findHead(db: Db, workloadId: string): Promise<Head | undefined> {
  const row = await db
    .selectFrom('release_workload')
    .selectAll()
    .where('workload_id', '=', workloadId)
    .executeTakeFirst()
  return row && headOf(row)
}

export async function putHead(db: Db, head: Head): Promise<void> {
  const values = {
    organization_id: head.organizationId,
    serving_id: head.servingId,
    retained_id: head.retainedId,
    retained_until: head.retainedUntil,
    retained_instances: head.retainedInstances,
  }
  await db
    .insertInto('release_workload')
    .values({ workload_id: head.workloadId, ...values })
    .onConflict((conflict) => conflict.column('workload_id').doUpdateSet(values))
    .execute()
}

/** Appends to the journal of a Release. The lock on the Release's row orders the writers. */
export async function appendReleaseEvent(db: Db, event: Omit<ReleaseEvent, 'sequence'>): Promise<void> {
  await db
    .selectFrom('release_release')
    .select('id')
    .where('id', '=', event.releaseId)
    .forUpdate()
    .executeTakeFirst()
  const last = await db
    .selectFrom('release_event')
    .select('sequence')
    .where('release_id', '=', event.releaseId)
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst()
  await db
    .insertInto('release_event')
    .values({
      release_id: event.releaseId,
      organization_id: event.organizationId,
      sequence: (last?.sequence ?? 0) + 1,
      at: event.at,
      kind: event.kind,
      batch: event.batch,
      actor: event.actor,
      code: event.code,
      params: jsonb(event.params),
    })
    .execute()
}

/** Events after `after`, oldest first, one more than the limit. */
export async function listReleaseEvents(
  db: Db,
  releaseId: string,
  after: number,
  limit: number,
): Promise<ReleaseEvent[]> {
  const rows = await db
    .selectFrom('release_event')
    .selectAll()
    .where('release_id', '=', releaseId)
    .where('sequence', '>', after)
    .orderBy('sequence')
    .limit(limit + 1)
    .execute()
  return rows.map(eventOf)
}

/** Images that must never be collected: those of kept Releases. */
export async function keptImages(db: Db, workloadId: string): Promise<string[]> {
  const ids = await keptIds(db, workloadId)
  if (ids.size === 0) return []
  const rows = await db
    .selectFrom('release_release')
    .select('image')
    .distinct()
    .where('id', 'in', [...ids])
    .execute()
  return rows.map(({ image }) => image)
}

/** Number of the newest Release of each version. @param hashes - at most a few hundred */
export async function findReleaseNumbers(
  db: Db,
  workloadId: string,
  hashes: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (hashes.length === 0) return new Map()
  const rows = await db
    .selectFrom('release_release')
    .select((e) => ['hash', e.fn.max('number').as('number')])
    .where('workload_id', '=', workloadId)
    .where('hash', 'in', [...hashes])
    .groupBy('hash')
    .execute()
  return new Map(rows.map(({ hash, number }) => [hash, number]))
}

/** Number of the newest Release of each version, by `<workload id> <hash>`. @param versions - at most a few hundred */
export async function findVersionNumbers(
  db: Db,
  versions: readonly { readonly workloadId: string; readonly hash: string }[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .selectFrom('release_release')
    .select((e) => ['workload_id', 'hash', e.fn.max('number').as('number')])
    .where(isOneOf('workload_id', [...new Set(versions.map(({ workloadId }) => workloadId))]))
    .where(isOneOf('hash', [...new Set(versions.map(({ hash }) => hash))]))
    .groupBy(['workload_id', 'hash'])
    .execute()
  return new Map(rows.map((row) => [`${row.workload_id} ${row.hash}`, row.number]))
}

/** Images that kept Releases need, and which of them serves now. */
export async function imageUses(
  db: Db,
  workloadId: string,
): Promise<readonly { readonly image: string; readonly serves: boolean }[]> {
  const head = await findHead(db, workloadId)
  const serving = head?.servingId ? await findRelease(db, head.servingId) : undefined
  return (await keptImages(db, workloadId)).map((image) => ({ image, serves: image === serving?.image }))
}

function releaseOf(row: ReleaseTable): Release {
  return {
    id: row.id,
    organizationId: row.organization_id,
    projectId: row.project_id,
    workloadId: row.workload_id,
    number: row.number,
    image: row.image,
    configRevision: row.config_revision,
    template: row.template,
    nonce: row.nonce,
    hash: row.hash,
    batches: row.batches,
    plan: row.plan,
    fromId: row.from_id,
    previousId: row.previous_id,
    state: row.state,
    heldFrom: row.held_from,
    goal: row.goal,
    paused: row.paused,
    batch: row.batch,
    approvedBatch: row.approved_batch,
    instances: row.instances,
    asked: row.asked,
    demand: row.demand,
    oldDemand: row.old_demand ?? row.demand,
    reserve: row.reserve,
    probesPassed: row.probes_passed,
    weight: row.weight,
    counts: row.counts,
    reason: row.reason,
    served: row.served,
    pinned: row.pinned,
    stateSince: row.state_since,
    batchSince: row.batch_since,
    generation: row.generation,
    createdBy: row.created_by,
    createdAt: row.created_at,
    endedAt: row.ended_at,
  }
}

function headOf(row: HeadTable): Head {
  return {
    workloadId: row.workload_id,
    organizationId: row.organization_id,
    servingId: row.serving_id,
    retainedId: row.retained_id,
    retainedUntil: row.retained_until,
    retainedInstances: row.retained_instances,
  }
}

function eventOf(row: ReleaseEventTable): ReleaseEvent {
  return {
    releaseId: row.release_id,
    organizationId: row.organization_id,
    sequence: row.sequence,
    at: row.at,
    kind: row.kind,
    batch: row.batch,
    actor: row.actor,
    code: row.code,
    params: row.params,
  }
}
