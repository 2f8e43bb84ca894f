/* Containers with `tty: true`: the process that holds their terminal, attaching to it, its size. */
import { execFile } from 'node:child_process'
import { watch } from 'node:fs'
import { chmod, cp, mkdir, open, readdir, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { messageOf } from '@slipway/kit'

import { StatusError } from '../errors.ts'
import type { ExecStreams, TerminalSize } from '../model.ts'
import type { Agent } from './agent.ts'
import type { Live } from './container.ts'
import { findCommand } from './images.ts'
import { SetupError } from './model.ts'
import { rawFile } from './output.ts'
import { findApplication } from './process-table.ts'
import { identityOf, type Inside } from './run-inside.ts'

const READ_BYTES = 64 * 1024
const RESIZE_ATTEMPTS = 50
const RESIZE_PAUSE_MS = 100
const HOLDER = 'terminal-holder.mjs'

/** The beginning of a command line that gives the rest of it a terminal. */
export type TerminalHolder = () => Promise<readonly string[]>

/** @param folder - for the holder and its library, which every account must be able to read */
export function terminalHolder(folder: string, hostPath: string): TerminalHolder {
  let copied: Promise<void> | undefined
  return async () => {
    const node = await findCommand('node', hostPath)
    if (node === undefined)
      throw new SetupError(
        'RunContainerError',
        'a terminal needs the command "node", which this machine lacks',
      )
    copied ??= copyHolder(folder)
    try {
      await copied
    } catch (error) {
      copied = undefined
      throw new SetupError('RunContainerError', `the terminal cannot be made: ${messageOf(error)}`)
    }
    return [node, '--max-semi-space-size=1', path.join(folder, HOLDER)]
  }
}

async function copyHolder(folder: string): Promise<void> {
  const require = createRequire(import.meta.url)
  const library = path.dirname(require.resolve('@lydell/node-pty/package.json'))
  const binary = path.dirname(
    createRequire(path.join(library, 'index.js')).resolve(
      `@lydell/node-pty-${process.platform}-${process.arch}/package.json`,
    ),
  )
  await rm(folder, { recursive: true, force: true })
  const packages = path.join(folder, 'node_modules', '@lydell')
  await mkdir(packages, { recursive: true })
  for (const source of [library, binary])
    await cp(source, path.join(packages, path.basename(source)), { recursive: true, dereference: true })
  await cp(fileURLToPath(new URL(HOLDER, import.meta.url)), path.join(folder, HOLDER))
  await openToAll(folder)
}

async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const inner = path.join(folder, entry.name)
    await (entry.isDirectory() ? openToAll(inner) : chmod(inner, 0o644))
  }
}

/**
 * Shows what the terminal shows from now on, byte by byte, until the application ends or the client goes away.
 * @param begin - called when "now" is settled
 */
export async function showTerminal(
  agent: Agent,
  live: Live,
  streams: ExecStreams,
  begin: () => void,
): Promise<void> {
  let wanted: TerminalSize | undefined
  streams.onResize((size) => {
    wanted = size
    void resizeTerminal(agent, live, size, () => wanted === size && !streams.signal.aborted)
  })
  const file = rawFile(live.output.folder, 'stdout')
  await using handle = await open(file, 'r')
  let offset = (await handle.stat()).size
  begin()
  let changed = Promise.withResolvers<undefined>()
  const wake = (): void => changed.resolve(undefined)
  using _appended = live.output.onAppend(wake)
  const watcher = watch(file, wake)
  streams.signal.addEventListener('abort', wake, { once: true })
  try {
    while (!streams.signal.aborted) {
      changed = Promise.withResolvers<undefined>()
      // Asked before reading: what is complete now has been written before we read.
      const isOver = live.output.isComplete()
      if ((await handle.stat()).size < offset) offset = 0 // emptied after it was read into the log
      for (;;) {
        const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(READ_BYTES), 0, READ_BYTES, offset)
        if (bytesRead === 0) break
        offset += bytesRead
        await writeTo(streams, buffer.subarray(0, bytesRead))
      }
      if (isOver) return
      await changed.promise
    }
  } finally {
    watcher.close()
    streams.signal.removeEventListener('abort', wake)
  }
}

function writeTo({ stdout, signal }: ExecStreams, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stdout.write(bytes, (error) => {
      if (!error || signal.aborted) resolve()
      else reject(new StatusError(500, 'InternalError', messageOf(error)))
    })
  })
}

/** Gives the terminal a size; while the application is only beginning there is none yet to give it to. */
async function resizeTerminal(
  agent: Agent,
  live: Live,
  { rows, columns }: TerminalSize,
  isWanted: () => boolean,
): Promise<void> {
  let problem = 'there is no application on it'
  for (let attempt = 0; attempt < RESIZE_ATTEMPTS && isWanted(); attempt += 1) {
    const members = agent.processes.members((marker) => marker === live.marker)
    const pid = findApplication(members, live.wrapper.pid, live.depth)
    // By the application's own side of the terminal: the other one belongs to the holder alone.
    const args = ['-F', `/proc/${pid ?? 0}/fd/0`, 'rows', String(rows), 'cols', String(columns)]
    const failure = pid === undefined ? problem : await runStty(args, live.inside)
    if (failure === undefined) return
    problem = failure
    await agent.clock.sleep(RESIZE_PAUSE_MS)
  }
  agent.log('debug', 'a terminal kept its size', { problem })
}

function runStty(args: readonly string[], inside: Inside): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile('stty', args, { cwd: '/', ...identityOf(inside) }, (error) => resolve(error?.message))
  })
}
