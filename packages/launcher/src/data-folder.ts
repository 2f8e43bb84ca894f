import { createHash } from 'node:crypto'
import { chmod, lstat, mkdir, readdir, readlink, realpath, rename, rm, stat, symlink } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'

import { AppError, isRecord, parseJson, systemCodeOf } from '@slipway/kit'
import { absent, findText, replaceFile } from '@slipway/kit/files'

import { dataFolderErrors } from './data-folder-errors.ts'

/*
 * Everything that Slipway keeps lies in one folder. For an ordinary user that is `.slipway` in the checkout. Root starts
 * PostgreSQL and every application under accounts of their own, which cannot enter a checkout that is closed to others
 * (/root, or any home), so there `.slipway` is a link to a folder below /var/lib that they can enter but not list.
 */
const LAYOUT = 1
const MARKER = 'slipway.json'
const SYSTEM_FOLDER = '/var/lib/slipway'
const ENTERABLE = 0o711
const CLOSED = 0o700

export type DataFolder = {
  /** Without links. */
  readonly path: string
  /** 0700: master key, passwords, certificates. */
  readonly keysFolder: string
  /** 0700: image layers and logs. */
  readonly blobsFolder: string
  /** Programs that other accounts run. */
  readonly runtimesFolder: string
}

export type DataFolderOptions = {
  readonly checkoutFolder: string
  /** `--data`; without it `.slipway` in the checkout. */
  readonly dataFolder?: string
  /** Of the product; told to an older version that finds this folder. */
  readonly version: string
  /** Where root's folders lie; default `/var/lib/slipway`. */
  readonly systemFolder?: string
  /** Default: this process. */
  readonly uid?: number
}

/**
 * Finds or makes the data folder and checks that everyone who has to can work in it. Idempotent. Take its lock before using it.
 * @throws {AppError} `data_folder_not_enterable`, `data_folder_other_account`, `data_folder_foreign`, `data_folder_newer`,
 *   `data_folder_unreadable`, `data_folder_full`
 */
export async function openDataFolder(options: DataFolderOptions): Promise<DataFolder> {
  const uid = options.uid ?? process.getuid?.() ?? -1
  const asked = options.dataFolder ?? join(options.checkoutFolder, '.slipway')
  try {
    const place =
      options.dataFolder === undefined && uid === 0
        ? await linkedFolder(options.checkoutFolder, options.systemFolder ?? SYSTEM_FOLDER)
        : resolve(asked)
    // Looked at before it is made, so that a refusal leaves nothing behind.
    if (uid === 0) await refuseBlockedPath(place)
    const mode = uid === 0 ? ENTERABLE : CLOSED
    await mkdir(place, { recursive: true, mode })
    const path = await realpath(place)
    await refuseForeignFolder(path, uid)
    await chmod(path, mode)
    await writeMarker(path, options.version)
    return await makeRooms(path)
  } catch (thrown) {
    throw translate(asked, thrown)
  }
}

async function makeRooms(path: string): Promise<DataFolder> {
  const folder: DataFolder = {
    path,
    keysFolder: join(path, 'keys'),
    blobsFolder: join(path, 'blobs'),
    runtimesFolder: join(path, 'runtimes'),
  }
  for (const [room, mode] of [
    [folder.keysFolder, CLOSED],
    [folder.blobsFolder, CLOSED],
    [folder.runtimesFolder, ENTERABLE],
  ] as const) {
    await mkdir(room, { recursive: true, mode })
    await chmod(room, mode)
  }
  return folder
}

/** The name of root's folder for a checkout: two checkouts with one name do not meet. Pure. */
export function systemFolderName(checkoutPath: string): string {
  const hash = createHash('sha256').update(checkoutPath).digest('hex').slice(0, 8)
  return `${basename(checkoutPath)}-${hash}`
}

/** Where `.slipway` leads: an existing link is followed even when the checkout was moved since, for the data lies there. */
async function linkedFolder(checkoutFolder: string, systemFolder: string): Promise<string> {
  const checkout = await realpath(checkoutFolder)
  const link = join(checkout, '.slipway')
  const target = join(systemFolder, systemFolderName(checkout))
  const entry = await lstat(link).catch(absent)
  if (entry?.isDirectory() === true) return link
  if (entry?.isSymbolicLink() === true) {
    const known = resolve(checkout, await readlink(link))
    if (known === target || (await stat(known).catch(absent)) !== undefined) return known
  }
  await mkdir(systemFolder, { recursive: true, mode: ENTERABLE })
  // Made beside its place and renamed: a dangling link is replaced in one step.
  const unfinished = `${link}.${process.pid}`
  await rm(unfinished, { force: true })
  await symlink(target, unfinished)
  await rename(unfinished, link)
  return target
}

/** Every folder on the way must let others through; the data folder itself is opened by us. */
async function refuseBlockedPath(place: string): Promise<void> {
  const isPresent = (await stat(place).catch(absent)) !== undefined
  const first = isPresent
    ? dirname(await realpath(place))
    : await realpath(await nearestExisting(dirname(place)))
  for (let folder = first; ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0)
      throw dataFolderErrors.data_folder_not_enterable({ folder: place, blocked: folder })
    if (folder === dirname(folder)) return
  }
}

async function nearestExisting(folder: string): Promise<string> {
  if ((await stat(folder).catch(absent)) !== undefined || folder === dirname(folder)) return folder
  return await nearestExisting(dirname(folder))
}

async function refuseForeignFolder(path: string, uid: number): Promise<void> {
  const owner = (await stat(path)).uid
  if (uid >= 0 && owner !== uid)
    throw dataFolderErrors.data_folder_other_account({ folder: path, uid: owner })
  const entries = (await readdir(path)).filter((name) => name !== 'lost+found')
  if (entries.length > 0 && !entries.includes(MARKER))
    throw dataFolderErrors.data_folder_foreign({ folder: path })
}

/** Names the layout of the folder and the last version that worked in it. */
async function writeMarker(path: string, version: string): Promise<void> {
  const marker = join(path, MARKER)
  const text = await findText(marker)
  if (text !== undefined) {
    const known = parseJson(text)
    if (!isRecord(known) || typeof known['layout'] !== 'number')
      throw dataFolderErrors.data_folder_foreign({ folder: path })
    if (known['layout'] > LAYOUT)
      throw dataFolderErrors.data_folder_newer({ folder: path, version: String(known['version']) })
    if (known['layout'] === LAYOUT && known['version'] === version) return
  }
  await replaceFile(marker, `${JSON.stringify({ layout: LAYOUT, version })}\n`)
}

function translate(folder: string, thrown: unknown): unknown {
  if (thrown instanceof AppError) return thrown
  const code = systemCodeOf(thrown) ?? 'unknown'
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return dataFolderErrors.data_folder_full({ folder }, { cause: thrown })
  return dataFolderErrors.data_folder_unreadable({ folder, reason: code }, { cause: thrown })
}
