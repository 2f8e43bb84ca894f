import { notify } from '@slipway/db'
import { sql } from 'kysely'

import type { Db } from '../tables.ts'
import { LEASE_FREE, WAKE_CHANNEL } from './wake.ts'

/**
 * Takes or renews a lease by the database's clock, so that the clocks of replicas do not matter.
 * @param force - takes it from whoever holds it: only for a process that knows it is the only one
 * @returns the epoch, which rises with every change of holder; undefined while somebody else holds the lease
 */
export async function takeLease(
  db: Db,
  lease: {
    readonly name: string
    readonly holder: string
    readonly seconds: number
    readonly force: boolean
  },
): Promise<number | undefined> {
  const result = await sql<{ epoch: string }>`
    insert into control_lease as l (name, holder, epoch, expires_at)
    values (${lease.name}, ${lease.holder}, 1, clock_timestamp() + make_interval(secs => ${lease.seconds}))
    on conflict (name) do update set
      holder = excluded.holder, expires_at = excluded.expires_at,
      epoch = case when l.holder = excluded.holder then l.epoch else l.epoch + 1 end
    where l.holder = excluded.holder or l.expires_at < clock_timestamp() or ${lease.force}
    returning epoch`.execute(db)
  const row = result.rows[0]
  return row === undefined ? undefined : Number(row.epoch)
}

/** Ends a lease and tells those who wait for it. */
export async function releaseLease(db: Db, name: string, holder: string): Promise<void> {
  await sql`update control_lease set expires_at = clock_timestamp() where name = ${name} and holder = ${holder}`.execute(
    db,
  )
  await notify(db, WAKE_CHANNEL, LEASE_FREE)
}

/** More changes of holder than any installation sees. */
const EPOCHS_APART = 1_000_000

/** Ends every lease, and lets the next holder's epoch be younger than any that was given out since a backup. */
export async function raiseEpochs(db: Db): Promise<void> {
  await sql`update control_lease set epoch = epoch + ${EPOCHS_APART}, expires_at = clock_timestamp()`.execute(
    db,
  )
}

export async function readSetting(db: Db, key: string): Promise<string | undefined> {
  const row = await db.selectFrom('control_setting').select('value').where('key', '=', key).executeTakeFirst()
  return row?.value
}

export async function writeSetting(db: Db, key: string, value: string): Promise<void> {
  await db
    .insertInto('control_setting')
    .values({ key, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute()
}

/** Writes a setting unless it is there; returns the one that holds. */
export async function settleSetting(db: Db, key: string, value: string): Promise<string> {
  await db
    .insertInto('control_setting')
    .values({ key, value })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute()
  return (await readSetting(db, key)) ?? value
}
