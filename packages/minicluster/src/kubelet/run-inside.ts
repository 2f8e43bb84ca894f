/** Runs a command in an Instance: its folder, uid, environment and marker. For exec, exec probes and life-cycle hooks. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

import type { Clock } from '@slipway/kit'

import { rewriteArgument } from './environment.ts'
import { findCommand } from './images.ts'
import { sendSignal } from './process-table.ts'

/** Where and as whom a container's processes run. */
export type Inside = {
  readonly folder: string
  readonly applicationFolder: string
  readonly hostUid: number | undefined
  readonly environment: Readonly<Record<string, string>>
}

/** The command cannot be run at all. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** Rewrites /app in the arguments and finds the program; @throws {CommandError} when there is none. */
export async function resolveCommand(inside: Inside, command: readonly string[]): Promise<readonly string[]> {
  const argv = command.map((part) => rewriteArgument(part, inside.applicationFolder))
  const [program = ''] = argv
  if (program === '') throw new CommandError('the command is empty')
  if (!program.includes('/') && (await findCommand(program, inside.environment['PATH'] ?? '')) === undefined)
    throw new CommandError(`exec: "${program}": executable file not found in $PATH`)
  return argv
}

export function identityOf(inside: Inside): { readonly uid?: number; readonly gid?: number } {
  return inside.hostUid === undefined ? {} : { uid: inside.hostUid, gid: inside.hostUid }
}

/** Starts a command in a process group of its own with pipes. */
export async function startInside(
  inside: Inside,
  command: readonly string[],
  stdin: 'pipe' | 'ignore',
): Promise<ChildProcess> {
  const [program = '', ...rest] = await resolveCommand(inside, command)
  const child = spawn(program, rest, {
    cwd: inside.folder,
    env: inside.environment,
    detached: true,
    stdio: [stdin, 'pipe', 'pipe'],
    ...identityOf(inside),
  })
  const failed = once(child, 'error').then(([error]: unknown[]) => {
    throw new CommandError(
      `exec: "${program}": ${error instanceof Error ? error.message : 'cannot be started'}`,
    )
  })
  await Promise.race([once(child, 'spawn'), failed])
  failed.catch(() => undefined) // later errors of the child show as its exit
  return child
}

const OUTPUT_MAX_BYTES = 10 * 1024
const DRAIN_MS = 200

/**
 * Runs a command to its end and returns exit code and the beginning of its output; killed after `timeoutMs`, or when `signal`
 * aborts.
 */
export async function runInside(options: {
  readonly inside: Inside
  readonly command: readonly string[]
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}): Promise<{ readonly exitCode: number; readonly output: string; readonly timedOut: boolean }> {
  const { inside, command, clock, timeoutMs, signal } = options
  const child = await startInside(inside, command, 'ignore')
  const chunks: Buffer[] = []
  let lengthBytes = 0
  const collect = (chunk: Buffer): void => {
    if (lengthBytes < OUTPUT_MAX_BYTES) chunks.push(chunk)
    lengthBytes += chunk.length
  }
  child.stdout?.on('data', collect)
  child.stderr?.on('data', collect)
  const end = (): void => {
    if (child.pid !== undefined) sendSignal(-child.pid, 'SIGKILL')
  }
  let timedOut = false
  using _deadline = clock.after(timeoutMs, () => {
    timedOut = true
    end()
  })
  signal?.addEventListener('abort', end, { once: true })
  if (signal?.aborted === true) end()
  const exitCode = await exitOf(child)
  signal?.removeEventListener('abort', end)
  // A background child may hold the pipes: what it writes later is nobody's business here.
  await Promise.race([once(child, 'close'), clock.sleep(DRAIN_MS)])
  child.stdout?.destroy()
  child.stderr?.destroy()
  const output = Buffer.concat(chunks).subarray(0, OUTPUT_MAX_BYTES).toString('utf8')
  return { exitCode, output, timedOut }
}

/** Exit code of a child, 128 + n after signal n. */
export async function exitOf(child: ChildProcess): Promise<number> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode ?? 128 + signalNumber(child.signalCode)
}

const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGABRT: 6,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
}

function signalNumber(signal: string | null): number {
  return SIGNALS[signal ?? ''] ?? 9
}
