import { notify } from '@slipway/db'

import type { Db } from '../tables.ts'

export const WAKE_CHANNEL = 'slipway_wake'
/** Said on it when a leader goes in order: whoever waits for the lease need not wait until it runs out. */
export const LEASE_FREE = 'lease-free'

/** Wakes a reconciler for a key when the transaction commits, on whichever replica leads. A lost wake-up costs a resync. */
export async function wake(db: Db, reconciler: string, key: string): Promise<void> {
  await notify(db, WAKE_CHANNEL, `${reconciler} ${key}`)
}
