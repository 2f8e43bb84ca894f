import { execFile } from 'node:child_process'
import { readdir, readFile, readlink, realpath, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'

import { systemCodeOf } from '@slipway/kit'
import { findText } from '@slipway/kit/files'

const run = promisify(execFile)
const PS_TIMEOUT_MS = 10_000

/** What `postmaster.pid` says; a server that is starting may not have written all of it. */
export type PidFile = { readonly pid: number; readonly port: number | undefined; readonly isReady: boolean }

/**
 * Parses postmaster.pid: one line each for pid, data folder, start time, port, socket folder, address, shared memory, status.
 * Source: PostgreSQL's pidfile.h. Pure.
 */
export function parsePidFile(text: string): PidFile | undefined {
  const lines = text.split('\n')
  const pid = Number(lines[0])
  if (!Number.isSafeInteger(pid) || pid <= 1) return undefined
  const port = Number(lines[3])
  return {
    pid,
    port: Number.isSafeInteger(port) && port > 0 && port < 65_536 ? port : undefined,
    isReady: (lines[7] ?? '').trim() === 'ready',
  }
}

export async function readPidFile(dataFolder: string): Promise<PidFile | undefined> {
  const text = await findText(join(dataFolder, 'postmaster.pid'))
  return text === undefined ? undefined : parsePidFile(text)
}

/** A pid file whose server is gone. Only for a folder in which no process works any more. */
export async function removePidFile(dataFolder: string): Promise<void> {
  await rm(join(dataFolder, 'postmaster.pid'), { force: true })
}

/** A PostgreSQL process that works in a data folder: it changes into it at its start, and so do its children. */
export type FolderUser = { readonly pid: number; readonly executable: string | undefined }

/** All processes whose working folder is `dataFolder`. A pid alone proves nothing, since pids are used again. */
export async function processesIn(dataFolder: string): Promise<FolderUser[]> {
  const folder = await realpath(dataFolder)
  if (process.platform !== 'linux') return processesByArguments(folder)
  const users: FolderUser[] = []
  for (const entry of await readdir('/proc')) {
    if (!/^[0-9]+$/.test(entry)) continue
    const user = await userOf(Number(entry), folder)
    if (user) users.push(user)
  }
  return users
}

async function userOf(pid: number, folder: string): Promise<FolderUser | undefined> {
  const cwd = await readLinkOrNothing(`/proc/${pid}/cwd`)
  if (cwd === 'hidden') {
    // Root without CAP_SYS_PTRACE, as in many containers: the arguments of a server are still readable.
    const args = await readArguments(pid)
    const isServer = args[1] === '-D' && args[2] === folder
    return isServer ? { pid, executable: args[0] } : undefined
  }
  if (cwd !== folder) return undefined
  const executable = await readLinkOrNothing(`/proc/${pid}/exe`)
  return { pid, executable: executable?.replace(/ \(deleted\)$/, '') }
}

async function readArguments(pid: number): Promise<string[]> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0')
  } catch (thrown) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes(systemCodeOf(thrown) ?? '')) return []
    throw thrown
  }
}

/** Undefined: gone meanwhile. `hidden`: alive, and another account's. */
async function readLinkOrNothing(path: string): Promise<string | undefined> {
  try {
    return await readlink(path)
  } catch (thrown) {
    const code = systemCodeOf(thrown) ?? ''
    if (['EACCES', 'EPERM'].includes(code)) return 'hidden'
    if (['ENOENT', 'ESRCH'].includes(code)) return undefined
    throw thrown
  }
}

/** Without /proc: our servers are started with `-D <folder>`; their children are not seen and end with them. */
async function processesByArguments(folder: string): Promise<FolderUser[]> {
  const { stdout } = await run('ps', ['-axo', 'pid=,command='], {
    timeout: PS_TIMEOUT_MS,
    maxBuffer: 16 * 1024 * 1024,
  })
  const users: FolderUser[] = []
  for (const line of stdout.split('\n')) {
    const match = /^\s*([0-9]+)\s+(\S+)/.exec(line)
    if (!match || !line.includes(` -D ${folder}`)) continue
    users.push({ pid: Number(match[1]), executable: match[2] })
  }
  return users
}

export function isPostgres(user: FolderUser): boolean {
  return user.executable !== undefined && basename(user.executable) === 'postgres'
}

/** Whether the system still knows the pid; a dead process that nobody has collected counts. */
export function isKnown(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (thrown) {
    // EPERM: there, and another account's.
    return systemCodeOf(thrown) === 'EPERM'
  }
}

/** Whether the process runs; state Z is dead, and stays for ever where nobody collects orphans. */
export async function isAlive(pid: number): Promise<boolean> {
  if (!isKnown(pid)) return false
  if (process.platform !== 'linux') return true
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8')
    // pid (name) state …; the name may hold anything, even brackets.
    return text.slice(text.lastIndexOf(')') + 2, text.lastIndexOf(')') + 3) !== 'Z'
  } catch (thrown) {
    if (['ENOENT', 'ESRCH'].includes(systemCodeOf(thrown) ?? '')) return false
    throw thrown
  }
}

/** The program that a process runs, as far as it can be told. */
export async function commandOf(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    const [program] = await readArguments(pid)
    return program === '' ? undefined : program
  }
  try {
    const { stdout } = await run('ps', ['-p', String(pid), '-o', 'command='], { timeout: PS_TIMEOUT_MS })
    return stdout.trim() === '' ? undefined : stdout.trim()
  } catch {
    return undefined // ps ends with 1 when there is no such process
  }
}
