import { chmod, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'

import { backUp } from '@slipway/db'
import { newSecret, systemClock, systemCodeOf } from '@slipway/kit'
import { findText } from '@slipway/kit/files'

import { dataFolderErrors } from '../data-folder-errors.ts'
import { openDataFolder } from '../data-folder.ts'
import { openMasterKey } from '../master-key.ts'
import type { Environment } from '../parts.ts'
import { keepErrors } from './errors.ts'
import { newBackupKey, writeManifest, type Manifest } from './manifest.ts'
import { sealFile } from './seal.ts'
import { bucketOf, DATABASE, isThere, ownerUrlOf, PLAIN_FOLDERS, REGISTRY, silentLog } from './source.ts'
import { copyTree } from './trees.ts'

export type BackupInput = {
  /** Gets the backup: a new or empty folder. */
  readonly to: string
  /** Of the installation; its checkout's own when undefined. */
  readonly dataFolder: string | undefined
  readonly checkout: string
  readonly version: string
  readonly environment: Environment
}

export type BackupReport = Manifest & {
  readonly tables: number
  readonly damaged: readonly string[]
  /** Holds the blobs of Images, which are no part of the backup then. */
  readonly bucket: string | undefined
}

/**
 * Backs up an installation, running or not.
 *
 * Blobs never change and are copied before and after the moment that the database's rows are read at: what the rows name was
 * there before that moment, and so was either copied the first time, or is young and no collector touches it yet.
 * @throws {AppError} `backup_nothing_here`, `backup_folder_used`, `data_folder_in_use`, those of the master key and the database
 */
export async function backUpInstallation(input: BackupInput): Promise<BackupReport> {
  try {
    return await backUpInto(input)
  } catch (thrown) {
    if (systemCodeOf(thrown) !== 'ENOSPC') throw thrown
    throw dataFolderErrors.data_folder_full({ folder: input.to }, { cause: thrown })
  }
}

async function backUpInto(input: BackupInput): Promise<BackupReport> {
  const { to, dataFolder, checkout, version, environment } = input
  const place = dataFolder ?? join(checkout, '.slipway')
  if (!(await isThere(join(place, 'canary')))) throw keepErrors.backup_nothing_here({ folder: place })
  const folder = await openDataFolder({
    checkoutFolder: checkout,
    version,
    ...(dataFolder && { dataFolder }),
  })
  const envelope = await openMasterKey(folder)
  await makeTarget(to)
  await using parts = new AsyncDisposableStack()
  const ownerUrl = await ownerUrlOf(parts, folder, { environment, log: silentLog })
  const id = newSecret(12)
  const { key, sealed } = newBackupKey(envelope, id)

  const copyBlobs = () => copyTree(join(folder.path, REGISTRY), join(to, REGISTRY), true)
  await copyBlobs()
  let tables = 0
  await sealFile(join(to, DATABASE), key, async (stream) => {
    const summary = await backUp({ ownerUrl, stream, version, clock: systemClock })
    tables = summary.tables
  })
  const { damaged, ...registry } = await copyBlobs()
  for (const name of PLAIN_FOLDERS) await copyTree(join(folder.path, name), join(to, name))

  const manifest: Manifest = {
    id,
    createdAt: systemClock.now().toISOString(),
    version,
    key: sealed,
    registry,
    ports: (await findText(join(folder.path, 'ports.json'))) ?? null,
  }
  await writeManifest(to, manifest)
  return { ...manifest, tables, damaged, bucket: bucketOf(environment) }
}

async function makeTarget(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  if ((await readdir(path)).length > 0) throw keepErrors.backup_folder_used({ folder: path })
  await chmod(path, 0o700)
}
