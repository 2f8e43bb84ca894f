import { openDatabase } from '@slipway/db'
import type { Clock, Random } from '@slipway/kit'

import { raiseEpochs } from './control/index.ts'
import type { Tables } from './tables.ts'

type Log = Parameters<typeof openDatabase>[0]['log']

/**
 * Makes a database that was filled from a backup ready for the first start. What was written into Clusters after the backup
 * carries younger epochs than the backup knows, and whoever leads next must not be taken for a stale leader.
 */
export async function prepareRestored(options: {
  readonly appUrl: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}): Promise<void> {
  await using database = await openDatabase<Tables>(options)
  await database.transactAsSystem((db) => raiseEpochs(db))
}
