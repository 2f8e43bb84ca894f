/*
 * The wrapper that starts each Instance. It writes its own pid (with its line of /proc/PID/stat) to the status file first, stays
 * alive when signalled, runs the application in the foreground and writes its exit status last. The application gets neither the
 * status file nor the saved stderr. The arguments are positional parameters: nothing of a user is ever read as shell text.
 * A status file without an exit line and without a living wrapper means that the wrapper was killed: 137.
 */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'

import { parseStat } from './proc.ts'
import type { ProcessId } from './model.ts'

const SCRIPT = `
stat=
read -r stat 2>/dev/null </proc/$$/stat
printf 'pid %s\\n' "\${stat:-$$}" >&3
trap : TERM INT HUP
ulimit -c 0 2>/dev/null
if [ "$1" != 0 ]; then ulimit -p "$1" 2>/dev/null || ulimit -u "$1" 2>/dev/null; fi
shift
exec 4>&2 2>/dev/null
"$@" 2>&4 3>&- 4>&-
printf 'exit %s\\n' "$?" >&3
`

export const EXIT_UNKNOWN = 137

export type Launch = {
  readonly argv: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly folder: string
  readonly hostUid: number | undefined
  /** Threads the uid may have, a backstop only for uids of their own; 0 = no limit. */
  readonly threadLimit: number
  readonly stdin: number | 'ignore'
  readonly stdout: number
  readonly stderr: number
  readonly status: number
}

/** Starts the wrapper in a session of its own. Resolves when it was forked; rejects when that was impossible. */
export function launch(options: Launch): Promise<ChildProcess> {
  const stdio: StdioOptions = [options.stdin, options.stdout, options.stderr, options.status]
  const child = spawn(
    '/bin/sh',
    ['-c', SCRIPT, 'slipway-instance', String(options.threadLimit), ...options.argv],
    {
      cwd: options.folder,
      env: options.environment,
      detached: true,
      stdio,
      ...(options.hostUid === undefined ? {} : { uid: options.hostUid, gid: options.hostUid }),
    },
  )
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('spawn', () => resolve(child))
  })
}

export type WrapperStatus = { readonly wrapper?: ProcessId; readonly exitCode?: number }

/** Reads what a wrapper wrote so far. */
export function parseStatus(text: string): WrapperStatus {
  const exit = /^exit ([0-9]{1,3})$/m.exec(text)
  const pid = /^pid (.*)$/m.exec(text)
  const info = pid?.[1] === undefined ? undefined : parseStat(pid[1])
  return {
    ...(info ? { wrapper: { pid: info.pid, startTicks: info.startTicks } } : {}),
    ...(exit ? { exitCode: Number(exit[1]) } : {}),
  }
}
