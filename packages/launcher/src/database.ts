import { startEmbeddedPostgres, type Log } from '@slipway/db'
import { systemClock, systemRandom } from '@slipway/kit'

import type { DataFolder } from './data-folder.ts'
import { launcherErrors } from './errors.ts'
import type { DatabaseUrls, Environment } from './parts.ts'

/** The database that the environment names, if it names one. @throws {AppError} `database_owner_url_missing` */
export function givenDatabase(environment: Environment): DatabaseUrls | undefined {
  const app = environment['DATABASE_URL']
  if (app === undefined) return undefined
  const owner = environment['DATABASE_OWNER_URL']
  if (owner === undefined) throw launcherErrors.database_owner_url_missing()
  return { app, owner }
}

/** Starts the data folder's own PostgreSQL until the parts are disposed. The folder's lock must be held. */
export async function ownDatabase(
  parts: AsyncDisposableStack,
  folder: DataFolder,
  log: Log,
): Promise<DatabaseUrls> {
  const postgres = parts.use(
    await startEmbeddedPostgres({
      dataFolder: folder.path,
      runtimesFolder: folder.runtimesFolder,
      clock: systemClock,
      random: systemRandom,
      log,
    }),
  )
  return { app: postgres.appUrl, owner: postgres.ownerUrl }
}
