import { openDatabase, type Log } from '@slipway/db'
import { systemClock, systemRandom } from '@slipway/kit'

import { identityErrors, renewFirstRun } from './modules/identity/index.ts'
import type { Settings } from './settings.ts'
import type { Tables } from './tables.ts'

/**
 * A new first-run token for an installation that somebody has started already; the one before ends.
 * @throws {AppError} `first_run_closed` once there is an administrator
 */
export async function newFirstRunToken(settings: Settings, log: Log): Promise<string> {
  await using database = await openDatabase<Tables>({
    appUrl: settings.databaseUrl,
    clock: systemClock,
    random: systemRandom,
    log,
  })
  const token = await database.transactAsSystem((db) => renewFirstRun(db, systemClock.now()))
  if (token === undefined) throw identityErrors.first_run_closed()
  return token
}
