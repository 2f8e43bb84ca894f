import { stat } from 'node:fs/promises'
import { join } from 'node:path'

import { findEmbeddedPostgres, startEmbeddedPostgres, type Log } from '@slipway/db'
import { AppError, systemClock, systemCodeOf, systemRandom } from '@slipway/kit'

import type { DataFolder } from '../data-folder.ts'
import { lockDataFolder } from '../data-folder-lock.ts'
import { launcherErrors } from '../errors.ts'
import type { DatabaseUrls, Environment } from '../parts.ts'

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

/**
 * The owner's address of an installation's database, whether the installation runs or not.
 * @throws {AppError} `data_folder_in_use` while it is starting or stopping
 */
export async function ownerUrlOf(
  parts: AsyncDisposableStack,
  folder: DataFolder,
  { environment, log }: { readonly environment: Environment; readonly log: Log },
): Promise<string> {
  const given = givenDatabase(environment)
  if (given) return given.owner
  try {
    parts.use(await lockDataFolder(folder.path, systemClock))
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== 'data_folder_in_use') throw thrown
    const running = await findEmbeddedPostgres(folder.path)
    if (running === undefined) throw thrown
    return running
  }
  return (await ownDatabase(parts, folder, log)).owner
}

export async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (thrown) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCodeOf(thrown) ?? '')) return false
    throw thrown
  }
}

export const silentLog: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** What is kept beside the database and the registry. */
export const PLAIN_FOLDERS: readonly string[] = ['build-logs', 'samples']
export const REGISTRY = join('registry', 'blobs')
export const DATABASE = 'database'
