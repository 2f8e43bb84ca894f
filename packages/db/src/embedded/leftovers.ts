import { stat } from 'node:fs/promises'
import { join } from 'node:path'

import type { Clock } from '@slipway/kit'
import { systemCodeOf, waitFor } from '@slipway/kit'

import { postgresErrors } from './errors.ts'
import {
  commandOf,
  isAlive,
  isKnown,
  isPostgres,
  processesIn,
  readPidFile,
  removePidFile,
} from './postmaster.ts'
import type { Launch } from './server.ts'

/*
 * After kill -9 of its parent a server lives on, after kill -9 of a server its children do for a moment. Two servers on one
 * folder would destroy it, so a start looks at who works in the folder (the working directory of every process) before it
 * believes or removes a pid file.
 */
const SHUTDOWN_MS = 30_000
const ORPHANS_MS = 5_000
const KILL_MS = 5_000
const POLL_MS = 50

export type Running = { readonly pid: number; readonly port: number }

/** A server that is ready in our folder and runs our very binary; anything else is not worth adopting. */
export async function findServer(launch: Launch): Promise<Running | undefined> {
  const pidFile = await readPidFile(launch.folder)
  if (pidFile?.port === undefined || !pidFile.isReady) return undefined
  const program = join(launch.binaries.folder, 'bin', 'postgres')
  const users = await processesIn(launch.folder)
  const isOurs = users.some((user) => user.pid === pidFile.pid && user.executable === program)
  return isOurs ? { pid: pidFile.pid, port: pidFile.port } : undefined
}

/**
 * Ends every PostgreSQL process in the data folder and removes a pid file that only looks alive.
 * @throws {AppError} `postgres_data_in_use` when one of them cannot be ended
 */
export async function clearFolder(launch: Launch): Promise<void> {
  const { folder, clock } = launch
  const pidFile = await readPidFile(folder)
  const users = await serversIn(folder)
  const master = users.find((pid) => pid === pidFile?.pid)
  if (master !== undefined) {
    launch.log.info({ pid: master }, 'ending a PostgreSQL that was left running')
    signal(master, 'SIGINT', folder)
    if (!(await isEmptyWithin(folder, clock, SHUTDOWN_MS))) signal(master, 'SIGQUIT', folder)
  }
  // Children without a master end by themselves; one in the middle of a long computation notices late.
  if (!(await isEmptyWithin(folder, clock, ORPHANS_MS)))
    for (const pid of await serversIn(folder)) signal(pid, 'SIGKILL', folder)
  if (!(await isEmptyWithin(folder, clock, KILL_MS))) {
    const [pid] = await serversIn(folder)
    throw postgresErrors.postgres_data_in_use({ folder, pid: pid ?? 0 })
  }
  await removeMisleadingPidFile(folder)
}

async function serversIn(folder: string): Promise<number[]> {
  return (await processesIn(folder)).filter(isPostgres).map((user) => user.pid)
}

async function isEmptyWithin(folder: string, clock: Clock, timeoutMs: number): Promise<boolean> {
  try {
    await waitFor(clock, 'the data folder to be free', async () => (await serversIn(folder)).length === 0, {
      timeoutMs,
      everyMs: POLL_MS,
    })
    return true
  } catch {
    return false // waitFor says only that the time is over
  }
}

function signal(pid: number, name: NodeJS.Signals, folder: string): void {
  try {
    process.kill(pid, name)
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ESRCH') return
    throw postgresErrors.postgres_data_in_use({ folder, pid }, { cause: thrown })
  }
}

/**
 * PostgreSQL refuses to start when the pid in its file belongs to any living process of the same account. When that is
 * provably another program (the pid was used again), the file goes; when it cannot be told, the start is refused.
 */
async function removeMisleadingPidFile(folder: string): Promise<void> {
  const pidFile = await readPidFile(folder)
  if (!pidFile || !isKnown(pidFile.pid)) return
  if (process.platform === 'linux' && !(await isSameAccount(pidFile.pid, folder))) return
  const isDead = !(await isAlive(pidFile.pid))
  if (!isDead && (await commandOf(pidFile.pid)) === undefined)
    throw postgresErrors.postgres_data_in_use({ folder, pid: pidFile.pid })
  await removePidFile(folder)
}

async function isSameAccount(pid: number, folder: string): Promise<boolean> {
  try {
    return (await stat(`/proc/${pid}`)).uid === (await stat(folder)).uid
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return false // ended meanwhile
    throw thrown
  }
}
