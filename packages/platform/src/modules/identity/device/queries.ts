import type { Db } from '../../../tables.ts'
import type { DeviceTable } from '../tables.ts'
import type { Device } from './model.ts'

/** False when the user code is taken. */
export async function insertDevice(db: Db, device: Device): Promise<boolean> {
  const row = await db
    .insertInto('identity_device')
    .values({
      device_hash: device.deviceHash,
      user_code: device.userCode,
      client: device.client,
      address: device.address,
      state: device.state,
      user_id: device.userId,
      interval_seconds: device.intervalSeconds,
      polled_at: device.polledAt,
      created_at: device.createdAt,
      expires_at: device.expiresAt,
    })
    .onConflict((conflict) => conflict.column('user_code').doNothing())
    .returning('user_code')
    .executeTakeFirst()
  return row !== undefined
}

/** How many wait now. */
export async function countWaiting(db: Db, now: Date): Promise<number> {
  const row = await db
    .selectFrom('identity_device')
    .select((e) => e.fn.countAll<string>().as('count'))
    .where('expires_at', '>', now)
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

export async function forgetExpired(db: Db, now: Date): Promise<void> {
  await db.deleteFrom('identity_device').where('expires_at', '<=', now).execute()
}

/** The sign-in of a device code, locked until the transaction ends, so that its session is made once. */
export async function lockDevice(db: Db, deviceHash: string, now: Date): Promise<Device | undefined> {
  const row = await db
    .selectFrom('identity_device')
    .selectAll()
    .where('device_hash', '=', deviceHash)
    .where('expires_at', '>', now)
    .forUpdate()
    .executeTakeFirst()
  return row && deviceOf(row)
}

export async function findByUserCode(db: Db, userCode: string, now: Date): Promise<Device | undefined> {
  const row = await db
    .selectFrom('identity_device')
    .selectAll()
    .where('user_code', '=', userCode)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return row && deviceOf(row)
}

/** Records a decision; undefined when somebody has decided already. */
export async function decideDevice(
  db: Db,
  userCode: string,
  decision: { readonly state: 'approved' | 'denied'; readonly userId: string; readonly now: Date },
): Promise<Device | undefined> {
  const row = await db
    .updateTable('identity_device')
    .set({ state: decision.state, user_id: decision.userId })
    .where('user_code', '=', userCode)
    .where('state', '=', 'pending')
    .where('expires_at', '>', decision.now)
    .returningAll()
    .executeTakeFirst()
  return row && deviceOf(row)
}

export async function keepPace(
  db: Db,
  deviceHash: string,
  intervalSeconds: number,
  now: Date,
): Promise<void> {
  await db
    .updateTable('identity_device')
    .set({ interval_seconds: intervalSeconds, polled_at: now })
    .where('device_hash', '=', deviceHash)
    .execute()
}

export async function deleteDevice(db: Db, deviceHash: string): Promise<void> {
  await db.deleteFrom('identity_device').where('device_hash', '=', deviceHash).execute()
}

function deviceOf(row: DeviceTable): Device {
  return {
    deviceHash: row.device_hash,
    userCode: row.user_code,
    client: row.client,
    address: row.address,
    state: row.state,
    userId: row.user_id,
    intervalSeconds: row.interval_seconds,
    polledAt: row.polled_at,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }
}
