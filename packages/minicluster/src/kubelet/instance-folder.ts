/** Makes the folder that stands for a container's root: the Image's files below `app`, a temporary folder, the volumes' links. */
import { constants } from 'node:fs'
import { chmod, chown, copyFile, link, lstat, mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises'
import path from 'node:path'

import { limiterOf, systemCodeOf } from '@slipway/kit'

const COPIES_AT_ONCE = 16

export type CopyOptions = {
  readonly from: string
  readonly to: string
  /**
   * Hard links cost no space and are safe only where the Instance's uid does not own the files: it can then replace them in its
   * own folders but not change them in place. Otherwise files are copied, as clones where the file system can.
   */
  readonly link: boolean
  readonly hostUid: number | undefined
}

/**
 * Copies a folder tree into an existing folder, whose own mode and owner stay: folders in it belong to the Instance, files are
 * linked or copied, symbolic links stay as they are.
 */
export async function copyTree(options: CopyOptions): Promise<void> {
  const limiter = limiterOf(COPIES_AT_ONCE)
  await copyFolder(options, limiter.run)
}

async function copyFolder(
  options: CopyOptions,
  run: <T>(task: () => Promise<T>) => Promise<T>,
): Promise<void> {
  const { from, to, hostUid } = options
  const entries = await readdir(from, { withFileTypes: true })
  const files = entries.filter((entry) => !entry.isDirectory())
  await Promise.all(
    files.map((entry) =>
      run(async () => {
        const source = path.join(from, entry.name)
        const target = path.join(to, entry.name)
        if (entry.isSymbolicLink()) await symlink(await readlink(source), target)
        else if (entry.isFile()) await placeFile(source, target, options.link)
      }),
    ),
  )
  for (const entry of entries.filter((candidate) => candidate.isDirectory())) {
    const target = path.join(to, entry.name)
    await makeOwnFolder(target, hostUid, 0o755)
    await copyFolder({ ...options, from: path.join(from, entry.name), to: target }, run)
  }
}

async function placeFile(source: string, target: string, asLink: boolean): Promise<void> {
  if (asLink) {
    try {
      await link(source, target)
      return
    } catch (error) {
      // Another file system, or too many links to one file: a copy serves as well.
      if (!['EXDEV', 'EMLINK', 'EPERM'].includes(systemCodeOf(error) ?? '')) throw error
    }
  }
  await copyFile(source, target, constants.COPYFILE_FICLONE)
  await chmod(target, (await lstat(source)).mode & 0o777)
}

/** Makes one folder that belongs to the Instance. */
export async function makeOwnFolder(
  folder: string,
  hostUid: number | undefined,
  mode: number,
): Promise<void> {
  await mkdir(folder, { recursive: true })
  await chmod(folder, mode)
  if (hostUid !== undefined) await chown(folder, hostUid, hostUid)
}

/** Removes a tree for good, also where an application took away its own permissions. */
export async function removeTree(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true })
  } catch (error) {
    if (systemCodeOf(error) !== 'EACCES') throw error
    await openUp(folder)
    await rm(folder, { recursive: true, force: true })
  }
}

async function openUp(folder: string): Promise<void> {
  await chmod(folder, 0o700)
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isDirectory()) await openUp(path.join(folder, entry.name))
}

export type DiskUse = { readonly bytes: number; readonly entries: number; readonly complete: boolean }

/**
 * Blocks that a tree takes, not counting hard links of others; stops after `maxEntries`.
 * @param hostUid - counts only what this uid owns, when given
 */
export async function measureTree(
  folder: string,
  hostUid: number | undefined,
  maxEntries: number,
): Promise<DiskUse> {
  let bytes = 0
  let entries = 0
  const waiting = [folder]
  for (let current = waiting.pop(); current !== undefined; current = waiting.pop()) {
    const children = await readdir(current, { withFileTypes: true }).catch(() => [])
    for (const child of children) {
      entries += 1
      if (entries > maxEntries) return { bytes, entries, complete: false }
      const name = path.join(current, child.name)
      if (child.isDirectory()) waiting.push(name)
      const info = await lstat(name).catch(() => undefined)
      if (info && (hostUid === undefined || info.uid === hostUid)) bytes += info.blocks * 512
    }
  }
  return { bytes, entries, complete: true }
}
