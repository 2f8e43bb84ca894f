import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { restoreBackup } from '@slipway/db'
import { AppError, envelopeOf, messageOf, systemClock, systemCodeOf, systemRandom } from '@slipway/kit'
import { countAbsentBlobs, migrations, prepareRestored, readSettings } from '@slipway/platform'

import { dataFolderErrors } from '../data-folder-errors.ts'
import { openDataFolder, type DataFolder } from '../data-folder.ts'
import { lockDataFolder } from '../data-folder-lock.ts'
import { givenDatabase, ownDatabase } from '../database.ts'
import { openMasterKey, parseKey } from '../master-key.ts'
import { operatorsEnvironment, type DatabaseUrls, type Environment } from '../parts.ts'
import { keepErrors } from './errors.ts'
import { openBackupKey, readManifest, type Manifest } from './manifest.ts'
import { isHalfRestored, markRestored, markRestoring } from './marker.ts'
import { openSealedFile } from './seal.ts'
import { bucketOf, DATABASE, isThere, PLAIN_FOLDERS, REGISTRY, silentLog } from './source.ts'
import { copyTree } from './trees.ts'

export type RestoreInput = {
  /** The backup. */
  readonly from: string
  /** Holds the master key that the backup was made with. */
  readonly masterKeyPath: string | undefined
  readonly dataFolder: string | undefined
  readonly checkout: string
  readonly version: string
  readonly environment: Environment
}

/** Whether the blobs that the database names are where the platform will look for them. */
type FoundBlobs =
  | { readonly place: string; readonly absent: number }
  | { readonly place: string; readonly problem: string }

export type RestoreReport = Manifest & { readonly blobs: FoundBlobs }

/**
 * Makes an installation out of a backup, in a data folder that holds none. One that broke off is run again; until then no start
 * takes the folder.
 * @throws {AppError} `backup_invalid`, `backup_newer`, `restore_key_missing`, `restore_folder_used`, `master_key_wrong`, those of
 *   the data folder and the database
 */
export async function restoreInstallation(input: RestoreInput): Promise<RestoreReport> {
  try {
    return await restoreFrom(input)
  } catch (thrown) {
    if (systemCodeOf(thrown) !== 'ENOSPC') throw thrown
    throw dataFolderErrors.data_folder_full({ folder: input.dataFolder ?? input.checkout }, { cause: thrown })
  }
}

async function restoreFrom(input: RestoreInput): Promise<RestoreReport> {
  const { from, dataFolder, checkout, version, environment } = input
  const manifest = await readManifest(from)
  const place = dataFolder ?? join(checkout, '.slipway')
  const keyText = await readMasterKey(input, place)
  const key = openBackupKey(envelopeOf(parseKey(keyText, input.masterKeyPath ?? place)), manifest, from)
  await refuseUsed(place)

  await using parts = new AsyncDisposableStack()
  const folder = await openDataFolder({
    checkoutFolder: checkout,
    version,
    ...(dataFolder && { dataFolder }),
  })
  parts.use(await lockDataFolder(folder.path, systemClock))
  await markRestoring(folder.path)
  await writeFile(join(folder.keysFolder, 'master.key'), `${keyText}\n`, { mode: 0o600, flush: true })
  await openMasterKey(folder)
  if (manifest.ports !== null)
    await writeFile(join(folder.path, 'ports.json'), manifest.ports, { mode: 0o600 })
  await restoreFiles(from, folder, manifest)
  const database = givenDatabase(environment) ?? (await emptyDatabase(parts, folder))
  await fill(database, await openSealedFile(join(from, DATABASE), key))
  await markRestored(folder.path)
  return { ...manifest, blobs: await lookForBlobs(folder, database, environment) }
}

/** A bucket is no part of a backup, and may be another one, or lag behind: better known now than at the next Release. */
async function lookForBlobs(
  folder: DataFolder,
  database: DatabaseUrls,
  environment: Environment,
): Promise<FoundBlobs> {
  const place = bucketOf(environment) ?? join(folder.path, REGISTRY)
  const given = {
    ...operatorsEnvironment(environment),
    DATABASE_URL: database.app,
    DATABASE_OWNER_URL: database.owner,
    SLIPWAY_MASTER_KEY_FILE: join(folder.keysFolder, 'master.key'),
    SLIPWAY_DATA: folder.path,
  }
  try {
    const settings = await readSettings(given, (path) => readFile(path, 'utf8'))
    const means = { clock: systemClock, random: systemRandom, log: silentLog }
    return { place, absent: await countAbsentBlobs(settings, means) }
  } catch (thrown) {
    // What was restored is whole; only this is not known.
    return { place, problem: messageOf(thrown) }
  }
}

async function readMasterKey({ masterKeyPath }: RestoreInput, place: string): Promise<string> {
  const path = masterKeyPath ?? join(place, 'keys', 'master.key')
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (cause) {
    throw keepErrors.restore_key_missing({ path }, { cause })
  }
}

async function refuseUsed(place: string): Promise<void> {
  if (!(await isThere(place)) || (await isHalfRestored(place))) return
  const entries = await readdir(place)
  if (entries.length > 0) throw keepErrors.restore_folder_used({ folder: place })
}

async function restoreFiles(from: string, folder: DataFolder, { registry }: Manifest): Promise<void> {
  await mkdir(join(folder.path, 'registry'), { recursive: true, mode: 0o700 })
  const { files, bytes, damaged } = await copyTree(join(from, REGISTRY), join(folder.path, REGISTRY), true)
  const [first] = damaged
  if (first !== undefined) throw keepErrors.backup_invalid({ reason: join(REGISTRY, first) })
  if (files !== registry.files || bytes !== registry.bytes)
    throw keepErrors.backup_invalid({ reason: REGISTRY })
  for (const name of PLAIN_FOLDERS) await copyTree(join(from, name), join(folder.path, name))
}

/** What an earlier restore left is thrown away; starting its server once ends one that outlived it. */
async function emptyDatabase(parts: AsyncDisposableStack, folder: DataFolder): Promise<DatabaseUrls> {
  const path = join(folder.path, 'postgres')
  if (await isThere(path)) {
    {
      await using earlier = new AsyncDisposableStack()
      await ownDatabase(earlier, folder, silentLog)
    }
    await rm(path, { recursive: true, force: true })
  }
  return await ownDatabase(parts, folder, silentLog)
}

async function fill(
  database: DatabaseUrls,
  stream: Awaited<ReturnType<typeof openSealedFile>>,
): Promise<void> {
  const shared = { clock: systemClock, log: silentLog }
  try {
    await restoreBackup({ ...shared, ownerUrl: database.owner, stream, migrations })
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown
    throw keepErrors.backup_invalid({ reason: `${DATABASE}: ${messageOf(thrown)}` }, { cause: thrown })
  }
  await prepareRestored({ ...shared, appUrl: database.app, random: systemRandom })
}
