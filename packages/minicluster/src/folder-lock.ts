import { open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { defineErrors, isRecord, systemCodeOf } from '@slipway/kit'

import { findProcess, isRunning, readBootId } from './kubelet/proc.ts'

export const folderErrors = defineErrors({ minicluster_folder_in_use: { status: 409 } })

type Holder = { readonly pid: number; readonly startTicks: number; readonly bootId: string }

const FILE = 'minicluster.lock'
const ATTEMPTS_MAX = 5

/**
 * Takes a data folder for this process alone: a file that only one can make, with pid, start time and boot id, so that one left
 * behind by a killed process or an earlier boot is told from one in use. Dispose to give it back.
 * @throws {AppError} `minicluster_folder_in_use` with the pid of the holder
 */
export async function lockFolder(folder: string): Promise<AsyncDisposable> {
  const path = join(folder, FILE)
  const own: Holder = {
    pid: process.pid,
    startTicks: findProcess(process.pid)?.startTicks ?? 0,
    bootId: readBootId(),
  }
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    if (await tryWrite(path, own)) return { [Symbol.asyncDispose]: () => rm(path, { force: true }) }
    const holder = await readHolder(path)
    if (holder && isAlive(holder)) throw folderErrors.minicluster_folder_in_use({ folder, pid: holder.pid })
    await rm(path, { force: true })
  }
  throw folderErrors.minicluster_folder_in_use({ folder, pid: 0 })
}

async function tryWrite(path: string, own: Holder): Promise<boolean> {
  try {
    await using file = await open(path, 'wx', 0o600)
    await file.writeFile(JSON.stringify(own))
    await file.sync()
    return true
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'EEXIST') return false
    throw thrown
  }
}

/** What stands in the file; undefined for a torn one, which nobody can hold. */
async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (!isRecord(value)) return undefined
    const { pid, startTicks, bootId } = value
    if (typeof pid !== 'number' || typeof startTicks !== 'number' || typeof bootId !== 'string')
      return undefined
    return { pid, startTicks, bootId }
  } catch {
    return undefined
  }
}

function isAlive(holder: Holder): boolean {
  if (holder.bootId !== readBootId()) return false
  if (process.platform === 'linux') return isRunning(holder)
  try {
    // Signal 0 only asks whether there is such a process.
    process.kill(holder.pid, 0)
    return true
  } catch (thrown) {
    return systemCodeOf(thrown) === 'EPERM'
  }
}
