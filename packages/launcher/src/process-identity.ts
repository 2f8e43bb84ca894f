import { execFile } from 'node:child_process'
import { readFile, readlink } from 'node:fs/promises'
import { promisify } from 'node:util'

import { systemCodeOf } from '@slipway/kit'
import { findText } from '@slipway/kit/files'

const run = promisify(execFile)
const PS_TIMEOUT_MS = 10_000

/** What tells whether a pid means the same process here. */
export type MachineIdentity = {
  /** Changes with every boot; empty where the system has none. */
  readonly bootId: string
  /** Stays; empty where the system has none. */
  readonly machineId: string
  /** Pids count within it. */
  readonly pidNamespace: string
}

export async function identityOfMachine(): Promise<MachineIdentity> {
  if (process.platform !== 'linux') return { bootId: '', machineId: '', pidNamespace: '' }
  return {
    bootId: await textOf('/proc/sys/kernel/random/boot_id'),
    machineId: await textOf('/etc/machine-id'),
    pidNamespace: await readlink('/proc/self/ns/pid'),
  }
}

async function textOf(path: string): Promise<string> {
  return ((await findText(path)) ?? '').trim()
}

/** When the process started, in the system's own count, or undefined when it does not run; state Z is dead. */
export async function findStartTime(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return await startTimeByPs(pid)
  try {
    return startTimeOf(await readFile(`/proc/${pid}/stat`, 'utf8'))
  } catch (thrown) {
    if (['ENOENT', 'ESRCH'].includes(systemCodeOf(thrown) ?? '')) return undefined
    throw thrown
  }
}

/**
 * Field 22 of /proc/PID/stat, clock ticks after boot. The second field is the name in brackets and may hold anything, so the
 * fields are counted from the last bracket. Source: proc_pid_stat(5). Pure.
 */
export function startTimeOf(stat: string): string | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state] = fields
  return state === 'Z' || state === 'X' ? undefined : fields[19]
}

async function startTimeByPs(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await run('ps', ['-p', String(pid), '-o', 'lstart='], { timeout: PS_TIMEOUT_MS })
    return stdout.trim() === '' ? undefined : stdout.trim()
  } catch {
    return undefined // ps ends with 1 when there is no such process
  }
}
