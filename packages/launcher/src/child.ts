import { spawn, type ChildProcess } from 'node:child_process'

import { AppError, isRecord, type Clock } from '@slipway/kit'
import { errorText } from '@slipway/messages'

import { launcherErrors } from './errors.ts'
import type { LogFile } from './log-file.ts'
import { paramsOf } from './message-params.ts'

const WORDS_MAX = 600
const LAST_WORDS_MS = 500
const LINE_MAX_BYTES = 64 * 1024

export type ChildMessage = Readonly<Record<string, unknown>>

export type ChildOptions = {
  readonly name: 'cluster' | 'platform'
  readonly node: string
  /** Of Node itself, before the script. */
  readonly nodeFlags: readonly string[]
  readonly script: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Gets what the child writes to standard error. */
  readonly log: LogFile
  readonly clock: Clock
  /** Longest time until it says that it is ready. */
  readonly readyMs: number
  /** Longest time it may take to end before it is killed. */
  readonly stopMs: number
  /** Whatever else it says, before and after it is ready. */
  readonly onMessage?: (message: ChildMessage) => void
}

/** A process of ours with its own event loop. It ends when the IPC channel closes, so it never outlives its parent. */
export type Child = AsyncDisposable & {
  readonly pid: number
  /** What it said when it was ready. */
  readonly ready: ChildMessage
  /** Resolves with how it ended (`SIGKILL`, `exit code 1`), whoever ended it. */
  readonly ended: Promise<string>
}

/**
 * Starts a child and waits until it says `{ type: 'ready' }`. It gets a session of its own, so that Ctrl-C at a terminal
 * reaches the launcher only, which ends its parts in order.
 * @param signal - gives the start up; the child ends before this throws
 * @throws {AppError} the child's own refusal, `part_failed`, `part_slow`
 */
export async function startChild(options: ChildOptions, signal: AbortSignal): Promise<Child> {
  signal.throwIfAborted()
  const child = spawn(
    options.node,
    [...options.nodeFlags, '--conditions=source', options.script, ...options.args],
    { env: { ...options.env }, stdio: ['ignore', 'ignore', 'pipe', 'ipc'], detached: true },
  )
  const lines = wholeLines(options.log)
  child.stderr?.on('data', lines.add).once('end', lines.flush)
  const ended = endOf(child, options.clock)
  try {
    const ready = await firstWord(child, ended, { options, signal })
    return { pid: child.pid ?? 0, ready, ended, [Symbol.asyncDispose]: () => stop(child, ended, options) }
  } catch (thrown) {
    // In good order, for a cluster may already have adopted what an earlier one left running.
    await stop(child, ended, options)
    throw thrown
  }
}

/** Resolves when a child is gone and its last words are read; whoever else holds its output is not waited for. */
function endOf(child: ChildProcess, clock: Clock): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, by) => {
      const how = by ?? `exit code ${code}`
      child.once('close', () => resolve(how))
      clock.after(LAST_WORDS_MS, () => resolve(how))
    })
  })
}

function firstWord(
  child: ChildProcess,
  ended: Promise<string>,
  { options, signal }: { readonly options: ChildOptions; readonly signal: AbortSignal },
): Promise<ChildMessage> {
  const { name, log, clock, readyMs } = options
  return new Promise((resolve, reject) => {
    const late = clock.after(readyMs, () =>
      reject(launcherErrors.part_slow({ part: name, seconds: readyMs / 1_000, log: log.path })),
    )
    const onAbort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    const settle = (): void => {
      late[Symbol.dispose]()
      signal.removeEventListener('abort', onAbort)
    }
    child.on('message', (message: unknown) => {
      if (!isRecord(message)) return
      switch (message['type']) {
        case 'ready':
          settle()
          return resolve(message)
        case 'failed':
          settle()
          return reject(refusalOf(options, message))
        default:
          return options.onMessage?.(message)
      }
    })
    const onEnded = (how: string): void => {
      settle()
      reject(launcherErrors.part_failed({ part: name, reason: lastWords(log, how), log: log.path }))
    }
    void ended.then(onEnded)
  })
}

/** The child's refusal: by its code where there is a text for it, else in its own words. */
function refusalOf({ name, log }: ChildOptions, message: ChildMessage): AppError {
  const error = typeof message['error'] === 'string' ? message['error'] : 'it gave no reason'
  const code = typeof message['code'] === 'string' ? message['code'] : error
  const params = paramsOf(message['params'])
  if (errorText('en', code, params) !== code) return new AppError(code, 500, params)
  return launcherErrors.part_failed({ part: name, reason: error.slice(0, WORDS_MAX), log: log.path })
}

function lastWords(log: LogFile, how: string): string {
  const line = log
    .tail()
    .split('\n')
    .findLast((text) => text.trim() !== '')
  return line === undefined ? how : `${how}: ${line.trim().slice(0, WORDS_MAX)}`
}

/** Cuts a stream at its ends of lines, so that a log that changes files never tears one. */
function wholeLines(log: LogFile): { readonly add: (chunk: Buffer) => void; readonly flush: () => void } {
  let rest = Buffer.alloc(0)
  function pass(endBytes: number): void {
    if (endBytes > 0) log.write(rest.subarray(0, endBytes))
    rest = Buffer.from(rest.subarray(endBytes))
  }
  return {
    add(chunk) {
      rest = Buffer.concat([rest, chunk])
      pass(rest.length > LINE_MAX_BYTES ? rest.length : rest.lastIndexOf(0x0a) + 1)
    },
    flush: () => pass(rest.length),
  }
}

async function stop(
  child: ChildProcess,
  ended: Promise<string>,
  { clock, stopMs }: ChildOptions,
): Promise<void> {
  child.kill('SIGTERM')
  using _ = clock.after(stopMs, () => child.kill('SIGKILL'))
  await ended
}
