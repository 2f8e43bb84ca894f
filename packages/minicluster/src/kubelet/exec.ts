/** exec and attach: commands in a container with pipes or a terminal, and the running application's own streams. */
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import type { Readable, Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { StringDecoder } from 'node:string_decoder'

import { messageOf, type Clock } from '@slipway/kit'

import { StatusError, statusErrors } from '../errors.ts'
import type { ExecStreams } from '../model.ts'
import type { Agent } from './agent.ts'
import { inputFile, type Live } from './container.ts'
import { findTail, followLines } from './log-read.ts'
import type { Container } from './model.ts'
import { sendSignal } from './process-table.ts'
import { CommandError, exitOf, identityOf, resolveCommand, startInside, type Inside } from './run-inside.ts'
import { showTerminal } from './terminal.ts'

const DRAIN_MS = 300

/** Runs a command; its output is written completely before the exit code is returned. Ends with the client. */
export async function execInside(
  inside: Inside,
  command: readonly string[],
  streams: ExecStreams,
  clock: Clock,
): Promise<{ readonly exitCode: number }> {
  try {
    return streams.terminal
      ? await execWithTerminal(inside, command, streams)
      : await execWithPipes(inside, command, streams, clock)
  } catch (error) {
    if (error instanceof CommandError)
      throw statusErrors.internal(`failed to exec in container: ${error.message}`)
    throw error
  }
}

async function execWithPipes(
  inside: Inside,
  command: readonly string[],
  streams: ExecStreams,
  clock: Clock,
): Promise<{ readonly exitCode: number }> {
  const child = await startInside(inside, command, streams.stdin ? 'pipe' : 'ignore')
  const end = (): void => {
    if (child.pid !== undefined) sendSignal(-child.pid, 'SIGKILL')
  }
  streams.signal.addEventListener('abort', end, { once: true })
  if (streams.signal.aborted) end()
  try {
    if (streams.stdin && child.stdin) forward(streams.stdin, child.stdin)
    const outputs = [copyTo(child.stdout, streams.stdout), copyTo(child.stderr, streams.stderr)]
    const exitCode = await exitOf(child)
    // A command left in the background may hold the pipes for ever: what it writes later is lost, as on other runtimes.
    await Promise.race([Promise.all(outputs), clock.sleep(DRAIN_MS)])
    child.stdout?.destroy()
    child.stderr?.destroy()
    await Promise.all(outputs)
    return { exitCode }
  } finally {
    streams.signal.removeEventListener('abort', end)
    streams.stdout.end()
    streams.stderr?.end()
  }
}

/** Input may stop in the middle when the command ends: that is no error. */
function forward(from: Readable, to: Writable): void {
  pipeline(from, to).catch(() => undefined)
}

async function copyTo(from: Readable | null, to: Writable | undefined): Promise<void> {
  if (!from) return
  if (to) from.pipe(to, { end: false })
  else from.resume()
  await finished(from).catch(() => undefined) // destroyed after the command's end, or the client went away
}

async function execWithTerminal(
  inside: Inside,
  command: readonly string[],
  streams: ExecStreams,
): Promise<{ readonly exitCode: number }> {
  const { spawn } = await import('@lydell/node-pty')
  const [program = '', ...rest] = await resolveCommand(inside, command)
  const terminal = spawn(program, rest, {
    name: 'xterm-256color',
    cwd: inside.folder,
    env: { ...inside.environment, TERM: 'xterm-256color' },
    encoding: null,
    ...identityOf(inside),
  })
  const end = (): void => {
    // Right after the fork the child has no group of its own yet.
    if (!sendSignal(-terminal.pid, 'SIGKILL')) sendSignal(terminal.pid, 'SIGKILL')
  }
  streams.signal.addEventListener('abort', end, { once: true })
  streams.onResize(({ columns, rows }) => {
    if (columns > 0 && rows > 0 && columns < 10_000 && rows < 10_000)
      tryResize(() => terminal.resize(columns, rows))
  })
  // With `encoding: null` the library delivers bytes, whatever its types say.
  terminal.onData((chunk: unknown) => {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk), 'utf8')
    if (streams.stdout.destroyed || streams.stdout.write(bytes)) return
    terminal.pause()
    streams.stdout.once('drain', () => terminal.resume())
  })
  const decoder = new StringDecoder('utf8')
  streams.stdin?.on('data', (chunk: Buffer) => terminal.write(decoder.write(chunk)))
  // End of input in a terminal is a character: Ctrl-D.
  streams.stdin?.once('end', () => tryResize(() => terminal.write('\u0004')))
  const { exitCode, signal } = await new Promise<{ exitCode: number; signal?: number }>((resolve) => {
    terminal.onExit(resolve)
    if (streams.signal.aborted) end()
  })
  streams.signal.removeEventListener('abort', end)
  streams.stdout.end()
  streams.stderr?.end()
  return { exitCode: signal ? 128 + signal : exitCode }
}

/** A terminal that has just ended refuses everything; its exit is reported anyway. */
function tryResize(action: () => void): void {
  try {
    action()
  } catch {
    return
  }
}

/** Follows the application's output from now on and feeds its input, until it ends or the client goes away. */
export async function attachTo(
  agent: Agent,
  live: Live,
  container: Container,
  streams: ExecStreams,
): Promise<{ readonly exitCode: number }> {
  const hasTerminal = container.tty === true
  if (streams.terminal && !hasTerminal)
    throw statusErrors.badRequest(
      `container ${container.name} has no terminal to attach to: use exec -it for a shell`,
    )
  // Only when it is settled from where on output is shown: the answer to the first input belongs to it.
  const begin = (): void => {
    if (streams.stdin && container.stdin === true) void feed(streams.stdin, inputFile(live.output.folder))
  }
  try {
    if (hasTerminal) await showTerminal(agent, live, streams, begin)
    else await followOutput(live, streams, begin)
  } catch (error) {
    if (!streams.signal.aborted) throw new StatusError(500, 'InternalError', messageOf(error))
  } finally {
    streams.stdout.end()
    streams.stderr?.end()
  }
  return { exitCode: 0 }
}

async function followOutput(live: Live, streams: ExecStreams, begin: () => void): Promise<void> {
  const start = await findTail(live.output.folder, 0)
  begin()
  for await (const lines of followLines({
    folder: live.output.folder,
    start,
    live: live.output,
    signal: streams.signal,
  }))
    for (const line of lines) {
      const target = line.stream === 'stderr' ? (streams.stderr ?? streams.stdout) : streams.stdout
      const bytes = line.full ? Buffer.concat([line.text, Buffer.from('\n')]) : line.text
      if (!target.write(bytes)) await once(target, 'drain', { signal: streams.signal })
    }
}

async function feed(from: Readable, fifo: string): Promise<void> {
  try {
    await using handle = await open(fifo, 'r+')
    for await (const chunk of from) await handle.write(chunk as Uint8Array) // streams of bytes
  } catch {
    return // the application or the client ended: nobody is left to tell
  }
}
