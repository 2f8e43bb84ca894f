import { chmod, copyFile, mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { newSecret, systemCodeOf } from '@slipway/kit'
import { absent } from '@slipway/kit/files'

import type { DataFolder } from './data-folder.ts'
import { dataFolderErrors } from './data-folder-errors.ts'

/**
 * The Node.js that applications of the process runtime run on. As root it is copied into the data folder, since no other
 * account can enter a closed checkout; otherwise it is the one that runs us. PostgreSQL is copied by whoever starts it.
 * @returns the path of the `node` program
 * @throws {AppError} `data_folder_full`
 */
export async function provideNode(folder: DataFolder, uid = process.getuid?.() ?? -1): Promise<string> {
  if (uid !== 0) return process.execPath
  const target = join(folder.runtimesFolder, `node-${process.versions.node}`, 'bin', 'node')
  const wanted = await stat(process.execPath)
  const present = await stat(target).catch(absent)
  if (present?.size === wanted.size) return target
  await mkdir(dirname(target), { recursive: true, mode: 0o755 })
  // A program that runs cannot be written to, but its name can be given to another file.
  const unfinished = `${target}.${newSecret(6)}`
  try {
    await copyFile(process.execPath, unfinished)
    await chmod(unfinished, 0o755)
    await rename(unfinished, target)
  } catch (thrown) {
    await rm(unfinished, { force: true })
    if (systemCodeOf(thrown) === 'ENOSPC')
      throw dataFolderErrors.data_folder_full({ folder: folder.path }, { cause: thrown })
    throw thrown
  }
  return target
}
