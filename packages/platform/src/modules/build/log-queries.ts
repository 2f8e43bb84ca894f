import { sql } from 'kysely'

import type { Db } from '../../tables.ts'

/** How far a log was written. */
export type LogHead = {
  readonly buildId: string
  readonly organizationId: string
  readonly sizeBytes: number
  /** As the Cluster wrote it in front of the last line that came from the pod. */
  readonly lastPodTime: string | undefined
}

/** What one read gives at most; a part is smaller. */
const READ_PARTS = 8
/** More than the lines of one and the same time ever take. */
const TAIL_PARTS = 64

/** Holds a build's log until the end of the transaction; begins it when there is none. Undefined when there is no such build. */
export async function lockLog(db: Db, buildId: string): Promise<LogHead | undefined> {
  await sql`insert into build_log (build_id, organization_id, size_bytes, updated_at)
    select id, organization_id, 0, now() from build_build where id = ${buildId} on conflict do nothing`.execute(
    db,
  )
  const row = await db
    .selectFrom('build_log')
    .selectAll()
    .where('build_id', '=', buildId)
    .forUpdate()
    .executeTakeFirst()
  return (
    row && {
      buildId,
      organizationId: row.organization_id,
      sizeBytes: row.size_bytes,
      lastPodTime: row.last_pod_time ?? undefined,
    }
  )
}

/** @param part - whole lines */
export async function appendLog(
  db: Db,
  head: LogHead,
  part: { readonly content: Buffer; readonly lastPodTime: string | undefined; readonly now: Date },
): Promise<void> {
  const endBytes = head.sizeBytes + part.content.length
  const { buildId, organizationId } = head
  await db
    .insertInto('build_log_part')
    .values({
      build_id: buildId,
      organization_id: organizationId,
      end_bytes: endBytes,
      content: part.content,
    })
    .execute()
  await db
    .updateTable('build_log')
    .set({ size_bytes: endBytes, last_pod_time: part.lastPodTime ?? null, updated_at: part.now })
    .where('build_id', '=', buildId)
    .execute()
}

export async function lastPodTime(db: Db, buildId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('build_log')
    .select('last_pod_time')
    .where('build_id', '=', buildId)
    .executeTakeFirst()
  return row?.last_pod_time ?? undefined
}

/** Bytes from an offset on, none at the end; undefined when there is no log. */
export async function readLog(db: Db, buildId: string, offsetBytes: number): Promise<Buffer | undefined> {
  const parts = await db
    .selectFrom('build_log_part')
    .select(['end_bytes', 'content'])
    .where('build_id', '=', buildId)
    .where('end_bytes', '>', offsetBytes)
    .orderBy('end_bytes')
    .limit(READ_PARTS)
    .execute()
  const [first] = parts
  if (first === undefined) {
    const head = await db
      .selectFrom('build_log')
      .select('build_id')
      .where('build_id', '=', buildId)
      .executeTakeFirst()
    return head && Buffer.alloc(0)
  }
  const startBytes = first.end_bytes - first.content.length
  return Buffer.concat(parts.map(({ content }) => content)).subarray(Math.max(0, offsetBytes - startBytes))
}

/** The last parts of a log, joined. */
export async function readTail(db: Db, buildId: string): Promise<Buffer> {
  const parts = await db
    .selectFrom('build_log_part')
    .select('content')
    .where('build_id', '=', buildId)
    .orderBy('end_bytes', 'desc')
    .limit(TAIL_PARTS)
    .execute()
  return Buffer.concat(parts.reverse().map(({ content }) => content))
}

export async function deleteLogsBefore(db: Db, before: Date): Promise<void> {
  await db.deleteFrom('build_log').where('updated_at', '<', before).execute()
}
