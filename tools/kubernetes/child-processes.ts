import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

import { identify, killProcess, type ProcessIdentity, waitUntilGone } from './process-identity.ts'

export type StartOptions = {
  /** Of the log; else that of the program. */
  readonly name?: string
  readonly environment?: Readonly<Record<string, string>>
  /** A program of a node, which may end without the cluster. */
  readonly mayEnd?: boolean
}

export type StartedProgram = {
  readonly pid: number
  /** Why it ended, with its last words; undefined while it runs. */
  readonly ended: () => string | undefined
}

/** Programs of one cluster: their output goes to `logs/`, who runs is on record in `processes.json`. */
export type ChildProcesses = {
  /** Starts a program; `onExit` of the whole set hears when it ends. */
  readonly start: (path: string, parameters: readonly string[], options?: StartOptions) => StartedProgram
  /** Takes charge of a process that another one started: it is ended, and recorded, with the others. */
  readonly adopt: (identity: ProcessIdentity) => void
  /** Ends all, last started first, and resolves when they are gone. */
  readonly stopAll: () => Promise<void>
}

/** The file that lets others end the programs when their supervisor was killed. */
export const PROCESSES_FILE = 'processes.json'

/** @param onExit - called with the reason when a program ends without `stopAll` and must not */
export function childProcesses(folder: string, onExit: (reason: string) => void): ChildProcesses {
  const running = new Map<
    ChildProcess,
    { readonly identity: ProcessIdentity; readonly gone: Promise<void> }
  >()
  const adopted: ProcessIdentity[] = []
  let stopping = false

  function record(): void {
    const identities = [...[...running.values()].map((entry) => entry.identity), ...adopted]
    writeFileSync(join(folder, PROCESSES_FILE), JSON.stringify(identities))
  }

  const start: ChildProcesses['start'] = (path, parameters, options = {}) => {
    const name = options.name ?? basename(path)
    const logPath = join(folder, 'logs', `${name}.log`)
    const log = openSync(logPath, 'a')
    const child = spawn(path, parameters, {
      cwd: folder,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...options.environment },
    })
    closeSync(log)
    if (child.pid === undefined) throw new Error(`${path} could not be started`)
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    running.set(child, { identity: identify(child.pid), gone })
    record()
    let reason: string | undefined
    child.once('exit', (code, signal) => {
      if (stopping) return
      reason = `${name} ended (${signal ?? code}): ${readFileSync(logPath, 'utf8').slice(-1_000)}`
      if (options.mayEnd !== true) return onExit(reason)
      running.delete(child)
      record()
    })
    return { pid: child.pid, ended: () => reason }
  }

  function adopt(identity: ProcessIdentity): void {
    adopted.push(identity)
    record()
  }

  async function stopAll(): Promise<void> {
    stopping = true
    // Thrown-away clusters have nothing to save, so nothing waits for a gentle end.
    for (const { identity } of [...running.values()].toReversed()) killProcess(identity)
    adopted.forEach((identity) => killProcess(identity))
    await Promise.all([...running.values()].map((entry) => entry.gone))
    await waitUntilGone(adopted)
    running.clear()
  }

  return { start, adopt, stopAll }
}
