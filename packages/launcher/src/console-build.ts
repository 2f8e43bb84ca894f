import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

import type { LogFile } from './log-file.ts'

const SCRIPT = 'packages/console/src/build/main.ts'

/**
 * Builds the web console in the background, unless its folder is there. Nobody waits for it: until it is done, browsers see
 * that it is being prepared. What the bundler says goes to the log.
 */
export function buildConsoleInBackground(options: {
  readonly folder: string
  readonly checkout: string
  readonly env: Readonly<Record<string, string>>
  readonly log: LogFile
}): AsyncDisposable {
  const { folder, checkout, env, log } = options
  if (existsSync(folder)) return { [Symbol.asyncDispose]: () => Promise.resolve() }
  // It ends when the channel closes, so it never outlives the launcher.
  const child = spawn(process.execPath, ['--conditions=source', join(checkout, SCRIPT)], {
    cwd: checkout,
    env: { ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    detached: true,
  })
  child.stderr?.on('data', (chunk: Buffer) => log.write(chunk))
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      log.write(`${error.message}\n`)
      resolve()
    })
    child.once('exit', () => resolve())
  })
  return {
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await ended
    },
  }
}
