import { HOUR_MS, MINUTE_MS } from '@slipway/kit'

import type { Reconciler } from '../../control/index.ts'
import { forgetChanges } from './queries.ts'

/** A reader that was away for longer, or missed more, reads everything again. */
const KEEP_MS = HOUR_MS
const KEEP_MAX = 200_000

export const eventUpkeep: Reconciler = {
  name: 'event-upkeep',
  keys: async () => ['all'],
  resyncMs: 5 * MINUTE_MS,
  concurrency: 1,
  deadlineMs: MINUTE_MS,
  async reconcile(context) {
    const before = new Date(context.clock.now().getTime() - KEEP_MS)
    await context.transact((db) => forgetChanges(db, before, KEEP_MAX))
    return {}
  },
}
