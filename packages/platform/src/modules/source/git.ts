import { spawn, type ChildProcess } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

import { assert, type Clock } from '@slipway/kit'

/*
 * git as a limited child: an environment of its own without anything of ours, no configuration but what is said here, no
 * prompts, hooks, submodules or helpers, its own process group that is killed as a whole, and bounds on time, output, file size
 * and address space. Only what `config` allows may be talked to.
 */
export type GitRun = {
  readonly args: readonly string[]
  readonly folder?: string | undefined
  readonly config?: readonly (readonly [key: string, value: string])[]
  readonly environment?: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly outputMaxBytes?: number
  readonly signal?: AbortSignal | undefined
  /** Asked every second; true ends the child as too large. */
  readonly isTooLarge?: () => Promise<boolean>
}

export type GitResult = {
  readonly outcome: 'ended' | 'timeout' | 'tooMuchOutput' | 'tooLarge'
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

const STDERR_MAX_BYTES = 64 * 1024
const OUTPUT_MAX_BYTES = 32 * 1024 * 1024
const ADDRESS_SPACE_BYTES = 16 * 1024 ** 3
const FILE_BYTES = 4 * 1024 ** 3
const WATCH_MS = 1_000

/** Settings that hold for every call; they win over anything a repository says. */
const always: readonly (readonly [string, string])[] = [
  ['protocol.allow', 'never'],
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['credential.helper', ''],
  ['fetch.recurseSubmodules', 'false'],
  ['gc.autoDetach', 'false'],
  ['http.followRedirects', 'false'],
  ['http.lowSpeedLimit', '1000'],
  ['http.lowSpeedTime', '20'],
  ['http.proxy', ''],
  ['maintenance.auto', 'false'],
  ['pack.threads', '1'],
  ['pack.windowMemory', '256m'],
]

const SEARCH_PATH = '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin'
/** How much later than we would a child ends by itself when we are gone. */
const GRACE_SECONDS = 5

let limiters: Promise<readonly (string | undefined)[]> | undefined

/** A program of the system; undefined where it has none. */
async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of SEARCH_PATH.split(':')) {
    const file = join(folder, name)
    const isThere =
      folder.startsWith('/') &&
      (await access(file, constants.X_OK).then(
        () => true,
        () => false,
      ))
    if (isThere) return file
  }
  return undefined
}

async function start(home: string, run: GitRun): Promise<ChildProcess> {
  limiters ??= Promise.all([findProgram('prlimit'), findProgram('timeout')])
  const [prlimit, timeout] = await limiters
  const config = [...always, ...(run.config ?? [])]
  const environment: Record<string, string> = {
    PATH: SEARCH_PATH,
    HOME: home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    // A file and not only variables, since git takes the variables away from the child that serves a repository on this machine.
    GIT_CONFIG_GLOBAL: join(home, 'gitconfig'),
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'false',
    SSH_ASKPASS: 'false',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_LAZY_FETCH: '1',
    GIT_CONFIG_COUNT: String(config.length),
    ...run.environment,
  }
  for (const [index, [key, value]] of config.entries()) {
    environment[`GIT_CONFIG_KEY_${index}`] = key
    environment[`GIT_CONFIG_VALUE_${index}`] = value
  }
  const seconds = Math.ceil(run.timeoutMs / 1_000) + GRACE_SECONDS
  const [file, ...args] = [
    // Ends the whole group in time even when this process was killed.
    ...(timeout === undefined ? [] : [timeout, '--signal=KILL', String(seconds)]),
    ...(prlimit === undefined
      ? []
      : [prlimit, `--as=${ADDRESS_SPACE_BYTES}`, `--fsize=${FILE_BYTES}`, '--core=0']),
    'git',
    ...run.args,
  ]
  assert(file !== undefined, 'git at least is to be run')
  return spawn(file, args, {
    cwd: run.folder ?? home,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // The whole group has ended by itself.
  }
}

/** Runs git to its end. @throws {Error} when it cannot be started, or the signal's reason */
export async function runGit(clock: Clock, home: string, run: GitRun): Promise<GitResult> {
  run.signal?.throwIfAborted()
  const child = await start(home, run)
  const ended = endOf(child)
  let outcome: GitResult['outcome'] = 'ended'
  const end = (why: GitResult['outcome']): void => {
    outcome = why
    killGroup(child)
  }
  const onAbort = (): void => killGroup(child)
  run.signal?.addEventListener('abort', onAbort, { once: true })
  using timeout = clock.after(run.timeoutMs, () => end('timeout'))
  using watch = clock.every(WATCH_MS, () => {
    void run.isTooLarge?.().then((tooLarge) => tooLarge && end('tooLarge'))
  })
  assert(timeout && watch, 'both are disposed at the end')
  const stdout = collect(child.stdout, run.outputMaxBytes ?? OUTPUT_MAX_BYTES, () => end('tooMuchOutput'))
  const stderr = collect(child.stderr, STDERR_MAX_BYTES, () => undefined)
  try {
    const code = await ended
    run.signal?.throwIfAborted()
    return { outcome, code, stdout: stdout(), stderr: stderr().toString('utf8') }
  } finally {
    run.signal?.removeEventListener('abort', onAbort)
  }
}

function endOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code))
  })
}

/** Gathers a stream up to a size; beyond it tells so once and drops the rest. */
function collect(stream: Readable | null, maxBytes: number, onFull: () => void): () => Buffer {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  stream?.on('data', (chunk: Buffer) => {
    if (sizeBytes > maxBytes) return
    sizeBytes += chunk.length
    if (sizeBytes > maxBytes) onFull()
    else chunks.push(chunk)
  })
  return () => Buffer.concat(chunks)
}

export type GitStream = Disposable & {
  readonly stdout: Readable
  /** Rejects with what git said when it did not end well. */
  readonly done: Promise<void>
}

/** Runs git and hands out what it writes. Disposing ends it. */
export async function streamGit(clock: Clock, home: string, run: GitRun): Promise<GitStream> {
  run.signal?.throwIfAborted()
  const child = await start(home, run)
  const stderr = collect(child.stderr, STDERR_MAX_BYTES, () => undefined)
  const timeout = clock.after(run.timeoutMs, () => killGroup(child))
  const onAbort = (): void => killGroup(child)
  run.signal?.addEventListener('abort', onAbort, { once: true })
  async function finish(): Promise<void> {
    try {
      const code = await endOf(child)
      if (code === 0) return
      throw new Error(`git ended with ${code ?? 'a signal'}: ${stderr().toString('utf8').slice(0, 500)}`)
    } finally {
      timeout[Symbol.dispose]()
      run.signal?.removeEventListener('abort', onAbort)
    }
  }
  const done = finish()
  const { stdout } = child
  assert(stdout, 'the child was started with a pipe')
  return { stdout, done, [Symbol.dispose]: () => killGroup(child) }
}
