import { decodeCursor } from '@slipway/kit'

import type { Db } from '../../tables.ts'
import { INSTALLATION_CHAIN, type AuditRecord, type ChainedEvent } from './model.ts'
import { FIRST_HASH, type Head } from './plan.ts'
import type { AuditChainTable, AuditEventTable } from './tables.ts'

/** Locks the head of a chain until the transaction ends, so that events follow each other without gaps. */
export async function lockHead(db: Db, chain: string): Promise<Head> {
  await db
    .insertInto('audit_chain')
    .values({ chain, sequence: 0, hash: FIRST_HASH })
    .onConflict((conflict) => conflict.column('chain').doNothing())
    .execute()
  const row = await db
    .selectFrom('audit_chain')
    .selectAll()
    .where('chain', '=', chain)
    .forUpdate()
    .executeTakeFirstOrThrow()
  return headOf(row)
}

function headOf(row: AuditChainTable): Head {
  const [hash = '', seal = ''] = row.hash.split('.')
  return { sequence: row.sequence, hash, seal }
}

/** @param seal - of the new head; empty when the one before was broken */
export async function append(db: Db, event: ChainedEvent, seal: string): Promise<void> {
  await db
    .insertInto('audit_event')
    .values({
      chain: event.chain,
      sequence: event.sequence,
      id: event.id,
      organization_id: event.chain === INSTALLATION_CHAIN ? null : event.chain,
      at: event.at,
      actor: event.actor,
      actor_name: event.actorName,
      action: event.action,
      target: event.target,
      project_id: event.projectId,
      outcome: event.outcome,
      code: event.code,
      request_id: event.requestId,
      address: event.address,
      detail: JSON.stringify(event.detail) as never,
      previous_hash: event.previousHash,
      hash: event.hash,
    })
    .execute()
  await db
    .updateTable('audit_chain')
    .set({ sequence: event.sequence, hash: `${event.hash}.${seal}` })
    .where('chain', '=', event.chain)
    .execute()
}

export type EventFilter = {
  readonly limit: number
  readonly cursor?: string | undefined
  readonly chain?: string | undefined
  readonly actor?: string | undefined
  readonly action?: string | undefined
  readonly target?: string | undefined
  readonly from?: string | undefined
  readonly until?: string | undefined
}

/** One row more than the limit, newest first. */
export async function listEvents(db: Db, filter: EventFilter): Promise<ChainedEvent[]> {
  let query = db
    .selectFrom('audit_event')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(filter.limit + 1)
  if (filter.chain !== undefined) query = query.where('chain', '=', filter.chain)
  if (filter.actor !== undefined) query = query.where('actor', '=', filter.actor)
  if (filter.action !== undefined) query = query.where('action', '=', filter.action)
  if (filter.target !== undefined) query = query.where('target', '=', filter.target)
  if (filter.from !== undefined) query = query.where('at', '>=', new Date(filter.from))
  if (filter.until !== undefined) query = query.where('at', '<', new Date(filter.until))
  if (filter.cursor !== undefined) query = query.where('id', '<', decodeCursor(filter.cursor, 1)[0] ?? '')
  return (await query.execute()).map(eventOf)
}

/** The next events of a chain after `sequence`, in order. */
export async function eventsAfter(
  db: Db,
  chain: string,
  sequence: number,
  limit: number,
): Promise<ChainedEvent[]> {
  const rows = await db
    .selectFrom('audit_event')
    .selectAll()
    .where('chain', '=', chain)
    .where('sequence', '>', sequence)
    .orderBy('sequence')
    .limit(limit)
    .execute()
  return rows.map(eventOf)
}

export async function findHead(db: Db, chain: string): Promise<Head | undefined> {
  const row = await db.selectFrom('audit_chain').selectAll().where('chain', '=', chain).executeTakeFirst()
  return row && headOf(row)
}

function eventOf(row: AuditEventTable): ChainedEvent {
  const record: AuditRecord = {
    id: row.id,
    chain: row.chain,
    at: row.at,
    actor: row.actor,
    actorName: row.actor_name,
    action: row.action,
    target: row.target,
    projectId: row.project_id,
    outcome: row.outcome,
    code: row.code,
    requestId: row.request_id,
    address: row.address,
    detail: row.detail,
  }
  return { ...record, sequence: row.sequence, previousHash: row.previous_hash, hash: row.hash }
}
