import { IDEMPOTENCY_HOURS } from '@slipway/contract'
import { HOUR_MS, MINUTE_MS } from '@slipway/kit'

import type { Reconciler } from '../control/index.ts'
import { forgetHits, forgetResults } from './queries.ts'

/** Forgets counts of past minutes and results of old Idempotency-Keys. */
export const housekeeping: Reconciler = {
  name: 'http-housekeeping',
  keys: async () => ['all'],
  resyncMs: 10 * MINUTE_MS,
  concurrency: 1,
  deadlineMs: MINUTE_MS,
  async reconcile(context) {
    const now = context.clock.now()
    await context.transact(async (db) => {
      await forgetHits(db, Math.floor(now.getTime() / MINUTE_MS) - 1)
      await forgetResults(db, new Date(now.getTime() - IDEMPOTENCY_HOURS * HOUR_MS))
    })
    return {}
  },
}
