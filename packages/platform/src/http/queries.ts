import { jsonb } from '@slipway/db'

import type { Db } from '../tables.ts'

/** Counts a hit in a minute and returns how many there are now. */
export async function countHit(db: Db, key: string, minute: number): Promise<number> {
  const row = await db
    .insertInto('http_rate')
    .values({ key, minute, count: 1 })
    .onConflict((conflict) =>
      conflict.columns(['key', 'minute']).doUpdateSet((e) => ({ count: e('http_rate.count', '+', 1) })),
    )
    .returning('count')
    .executeTakeFirstOrThrow()
  return row.count
}

export async function forgetHits(db: Db, beforeMinute: number): Promise<void> {
  await db.deleteFrom('http_rate').where('minute', '<', beforeMinute).execute()
}

export type Kept = { readonly requestHash: string; readonly status: number; readonly body: unknown }

/** Claims an Idempotency-Key; a request with the same key waits here until the first has ended. True for the first. */
export async function claimKey(
  db: Db,
  account: string,
  key: string,
  requestHash: string,
  now: Date,
): Promise<boolean> {
  const row = await db
    .insertInto('http_idempotency')
    .values({ account, key, request_hash: requestHash, status: 0, body: null, created_at: now })
    .onConflict((conflict) => conflict.columns(['account', 'key']).doNothing())
    .returning('status')
    .executeTakeFirst()
  return row !== undefined
}

export async function findKept(db: Db, account: string, key: string): Promise<Kept | undefined> {
  const row = await db
    .selectFrom('http_idempotency')
    .selectAll()
    .where('account', '=', account)
    .where('key', '=', key)
    .executeTakeFirst()
  return row && { requestHash: row.request_hash, status: row.status, body: row.body }
}

export async function keepResult(
  db: Db,
  account: string,
  key: string,
  status: number,
  body: unknown,
): Promise<void> {
  await db
    .updateTable('http_idempotency')
    .set({ status, body: body === undefined ? null : jsonb(body) })
    .where('account', '=', account)
    .where('key', '=', key)
    .execute()
}

export async function forgetResults(db: Db, before: Date): Promise<void> {
  await db.deleteFrom('http_idempotency').where('created_at', '<', before).execute()
}
