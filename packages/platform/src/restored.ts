import { openDatabase } from '@slipway/db'
import type { Clock, Random } from '@slipway/kit'

import { raiseEpochs } from './control/index.ts'
import { liveBlobs, openBlobs } from './modules/image/index.ts'
import type { Settings } from './settings.ts'
import type { Tables } from './tables.ts'

type Means = {
  readonly clock: Clock
  readonly random: Random
  readonly log: Parameters<typeof openDatabase>[0]['log']
}

/**
 * Makes a database that was filled from a backup ready for the first start. What was written into Clusters after the backup
 * carries younger epochs than the backup knows, and whoever leads next must not be taken for a stale leader.
 */
export async function prepareRestored(options: Means & { readonly appUrl: string }): Promise<void> {
  await using database = await openDatabase<Tables>(options)
  await database.transactAsSystem((db) => raiseEpochs(db))
}

/**
 * How many blobs the database names that are not in the data folder or the bucket.
 * @throws {AppError} `blob_store_…`, those of the database
 */
export async function countAbsentBlobs(settings: Settings, means: Means): Promise<number> {
  await using database = await openDatabase<Tables>({ ...means, appUrl: settings.databaseUrl })
  const named = new Set<string>(await database.transact('all', liveBlobs, { readOnly: true }))
  const blobs = await openBlobs({ ...means, settings })
  for await (const digest of blobs.list()) named.delete(digest)
  return named.size
}
