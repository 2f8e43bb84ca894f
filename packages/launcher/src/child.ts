import { spawn, type ChildProcess } from 'node:child_process'

import { isRecord, type Clock } from '@slipway/kit'

export type ChildOptions = {
  /** For people. */
  readonly name: string
  readonly node: string
  readonly script: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly clock: Clock
  /** Longest time until it says that it is ready. */
  readonly readyMs: number
  /** Longest time it may take to end before it is killed. */
  readonly stopMs: number
}

/** A process of ours with its own event loop. It ends when the IPC channel closes, so it never outlives its parent. */
export type Child = AsyncDisposable & {
  readonly pid: number
  /** What it said when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>
  /** Resolves with a sentence when it ends, whoever ended it. */
  readonly ended: Promise<string>
}

/**
 * Starts a child and waits until it says `{ type: 'ready' }`.
 * @throws {Error} with the child's own words when it says `failed`, ends, or takes too long
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const child = spawn(options.node, ['--conditions=source', options.script, ...options.args], {
    env: { ...options.env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`${options.name} did not start: ${error.message}`))
    child.once('exit', (code, signal) => resolve(`${options.name} ended (${signal ?? `exit code ${code}`})`))
  })
  try {
    const ready = await Promise.race([firstWord(child, options.name), ended.then(refuse), tooLate(options)])
    return { pid: child.pid ?? 0, ready, ended, [Symbol.asyncDispose]: () => stop(child, ended, options) }
  } catch (thrown) {
    child.kill('SIGKILL')
    throw thrown
  }
}

function firstWord(child: ChildProcess, name: string): Promise<Readonly<Record<string, unknown>>> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: unknown) => {
      if (!isRecord(message)) return
      if (message['type'] === 'ready') resolve(message)
      if (message['type'] === 'failed') reject(new Error(`${name}: ${String(message['error'])}`))
    })
  })
}

function refuse(sentence: string): never {
  throw new Error(sentence)
}

async function tooLate({ clock, name, readyMs }: ChildOptions): Promise<never> {
  // Unreferenced: waiting here must not keep a finished launcher alive.
  await new Promise<void>((resolve) => void clock.after(readyMs, resolve))
  throw new Error(`${name} was not ready after ${readyMs / 1_000} s`)
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
