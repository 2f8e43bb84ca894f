import { sql } from 'kysely'

import type { Db } from '../../tables.ts'
import type { Cursor, Logged } from './model.ts'
import type { EventChangeTable } from './tables.ts'

/** What is new to somebody who is at a cursor. */
export type News = {
  readonly log: string
  /** Where one is after reading this. */
  readonly snapshot: string
  /** Undefined when the cursor is of another log, or from before what is still known. */
  readonly changes: readonly Logged[] | undefined
}

type Row = Pick<
  EventChangeTable,
  | 'sequence'
  | 'transaction'
  | 'type'
  | 'object_id'
  | 'change'
  | 'organization_id'
  | 'project_id'
  | 'application_id'
  | 'workload_id'
>

/**
 * What was committed since a cursor, at most `limit` changes. One statement, so that the rows and the new snapshot are of one
 * moment. Undefined when there is no log: the database has crashed and lost it.
 */
export async function readNews(db: Db, since: Cursor | undefined, limit: number): Promise<News | undefined> {
  const from = since?.snapshot ?? '1:1:'
  const { rows } = await sql<{
    log: string
    snapshot: string
    known: boolean
    changes: readonly Row[]
  }>`
    with since as (select ${from}::pg_snapshot as snapshot, ${since?.log ?? ''} as log)
    select l.id as log, pg_current_snapshot()::text as snapshot,
      s.log = l.id and pg_snapshot_xmin(s.snapshot) >= l.horizon as known,
      case when s.log = l.id and pg_snapshot_xmin(s.snapshot) >= l.horizon then (
        select coalesce(jsonb_agg(to_jsonb(c) order by c.sequence), '[]') from (
          select sequence, transaction::text as transaction, type, object_id, change, organization_id, project_id, application_id, workload_id
          from event_change
          where transaction >= pg_snapshot_xmin(s.snapshot)
            and not pg_visible_in_snapshot(transaction, s.snapshot)
          order by sequence limit ${limit}) c) else '[]' end as changes
    from event_log l, since s`.execute(db)
  const [row] = rows
  return (
    row && {
      log: row.log,
      snapshot: row.snapshot,
      changes: row.known ? row.changes.map(loggedOf) : undefined,
    }
  )
}

function loggedOf(row: Row): Logged {
  return {
    transaction: BigInt(row.transaction),
    change: {
      type: row.type,
      id: row.object_id,
      change: row.change,
      organizationId: row.organization_id,
      projectId: row.project_id,
      applicationId: row.application_id,
      workloadId: row.workload_id,
      version: row.sequence,
    },
  }
}

/** Begins a log unless there is one. */
export async function beginLog(db: Db, id: string): Promise<void> {
  await sql`insert into event_log (id, horizon) values (${id}, '0') on conflict (single) do nothing`.execute(
    db,
  )
}

/**
 * Forgets changes from before `before`, and the oldest beyond `max`. Whoever is at a cursor from before the last transaction
 * of those is told that it is too old.
 */
export async function forgetChanges(db: Db, before: Date, max: number): Promise<void> {
  await sql`
    with gone as (
      delete from event_change where at < ${before}
        or sequence <= (select coalesce(max(sequence), 0) - ${max}::bigint from event_change)
      returning transaction::text::bigint as transaction)
    update event_log set horizon = greatest(horizon,
      (select coalesce(max(transaction) + 1, 0)::text from gone)::xid8)`.execute(db)
}
