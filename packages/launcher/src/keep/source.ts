import { stat } from 'node:fs/promises'
import { join } from 'node:path'

import { findEmbeddedPostgres, type Log } from '@slipway/db'
import { AppError, systemClock, systemCodeOf } from '@slipway/kit'

import type { DataFolder } from '../data-folder.ts'
import { lockDataFolder } from '../data-folder-lock.ts'
import { givenDatabase, ownDatabase } from '../database.ts'
import type { Environment } from '../parts.ts'

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

/** The bucket that holds the blobs of Images, as people know it; undefined when they lie in the data folder. */
export function bucketOf(environment: Environment): string | undefined {
  const { SLIPWAY_S3_ENDPOINT: endpoint, SLIPWAY_S3_BUCKET: bucket, SLIPWAY_S3_PREFIX: prefix } = environment
  if (endpoint === undefined || bucket === undefined) return undefined
  return [endpoint.replace(/\/$/u, ''), bucket, prefix ?? ''].join('/')
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
export const PLAIN_FOLDERS: readonly string[] = ['samples']
export const REGISTRY = join('registry', 'blobs')
export const DATABASE = 'database'
