import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

import { identify, killProcess, type ProcessIdentity } from './process-identity.ts'

/** Programs of one cluster: their output goes to `logs/`, who runs is on record in `processes.json`. */
export type ChildProcesses = {
  /** Starts a program; `onExit` of the whole set hears when it ends. */
  readonly start: (path: string, parameters: readonly string[]) => void
  /** Ends all, last started first, and resolves when they are gone. */
  readonly stopAll: () => Promise<void>
}

/** The file that lets others end the programs when their supervisor was killed. */
export const PROCESSES_FILE = 'processes.json'

/** @param onExit - called with the reason when a program ends without `stopAll` */
export function childProcesses(folder: string, onExit: (reason: string) => void): ChildProcesses {
  const running = new Map<
    ChildProcess,
    { readonly identity: ProcessIdentity; readonly gone: Promise<void> }
  >()
  let stopping = false

  function record(): void {
    const identities = [...running.values()].map((entry) => entry.identity)
    writeFileSync(join(folder, PROCESSES_FILE), JSON.stringify(identities))
  }

  function start(path: string, parameters: readonly string[]): void {
    const name = basename(path)
    const logPath = join(folder, 'logs', `${name}.log`)
    const log = openSync(logPath, 'a')
    const child = spawn(path, parameters, { cwd: folder, stdio: ['ignore', log, log] })
    closeSync(log)
    if (child.pid === undefined) throw new Error(`${path} could not be started`)
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    running.set(child, { identity: identify(child.pid), gone })
    record()
    child.once('exit', (code, signal) => {
      if (!stopping)
        onExit(`${name} ended (${signal ?? code}): ${readFileSync(logPath, 'utf8').slice(-1_000)}`)
    })
  }

  async function stopAll(): Promise<void> {
    stopping = true
    // Thrown-away clusters have nothing to save, so nothing waits for a gentle end.
    for (const { identity } of [...running.values()].toReversed()) killProcess(identity)
    await Promise.all([...running.values()].map((entry) => entry.gone))
    running.clear()
  }

  return { start, stopAll }
}
