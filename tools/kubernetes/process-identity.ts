import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const GONE_WITHIN_MS = 30_000

/** A process that cannot be mistaken for a later one with the same number. */
export type ProcessIdentity = { readonly pid: number; readonly started: string }

/** When the process started, in the system's own words, or undefined when it is gone (a zombie is gone). */
function startOf(pid: number): string | undefined {
  try {
    if (process.platform !== 'linux')
      return (
        execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined
      )
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field, the name, may hold spaces and brackets: everything is counted from behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    // No such process: that is the answer.
    return undefined
  }
}

/** @throws {Error} when there is no such process */
export function identify(pid: number): ProcessIdentity {
  const started = startOf(pid)
  if (started === undefined) throw new Error(`process ${pid} is already gone`)
  return { pid, started }
}

export function isAlive(identity: ProcessIdentity): boolean {
  return startOf(identity.pid) === identity.started
}

/** Ends the process at once, or sends it another signal, if it is still the one that was identified. */
export function killProcess(identity: ProcessIdentity, signal: NodeJS.Signals = 'SIGKILL'): void {
  if (!isAlive(identity)) return
  try {
    process.kill(identity.pid, signal)
  } catch (error) {
    // It may end between the look and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Resolves when none of the processes, which have been killed, is there any more; a zombie is not. */
export async function waitUntilGone(identities: readonly ProcessIdentity[]): Promise<void> {
  const deadlineMs = Date.now() + GONE_WITHIN_MS
  for (;;) {
    const left = identities.filter(isAlive)
    if (left.length === 0) return
    if (Date.now() > deadlineMs)
      throw new Error(
        `still there ${GONE_WITHIN_MS} ms after SIGKILL: ${left.map(({ pid }) => pid).join(', ')}`,
      )
    await sleep(10)
  }
}
