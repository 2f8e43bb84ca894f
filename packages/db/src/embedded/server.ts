import type { ChildProcess } from 'node:child_process'
import { open, rename, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'

import type { Clock } from '@slipway/kit'
import { messageOf, must, repeat, systemCodeOf, waitFor } from '@slipway/kit'
import { absent } from '@slipway/kit/files'

import { connectClient } from '../connect.ts'
import type { Log } from '../log.ts'
import type { Account } from './account.ts'
import type { Binaries } from './binaries.ts'
import { startFailure } from './data.ts'
import { postgresErrors } from './errors.ts'
import type { Running } from './leftovers.ts'
import { isAlive, readPidFile } from './postmaster.ts'
import { findFreePort, spawnServer } from './process.ts'
import { urlOf } from './roles.ts'
import { serverArguments } from './settings.ts'

const PORT_ATTEMPTS_MAX = 8
/** Recovery after a crash replays at most `max_wal_size`; slow disks need minutes for it. */
const START_MS = 10 * 60_000
const START_POLL_MS = 10
const ALIVE_POLL_MS = 250
const FAST_SHUTDOWN_MS = 60_000
const IMMEDIATE_SHUTDOWN_MS = 10_000
const LOG_CHECK_MS = 60_000
const LOG_BYTES_MAX = 16 * 1024 * 1024
const LOG_TAIL_BYTES = 16 * 1024

export type Launch = {
  readonly folder: string
  readonly binaries: Binaries
  readonly account: Account | undefined
  readonly logPath: string
  readonly settings: Readonly<Record<string, string>>
  readonly endsWithParent: boolean
  readonly clock: Clock
  readonly log: Log
}

/** A running server. */
export type Server = {
  readonly pid: number
  readonly port: number
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<void>
  readonly stop: () => Promise<void>
}

/**
 * Starts a server and waits until it takes connections.
 * @param fixedPort - this port only; without it, any that is free
 * @throws {AppError} `postgres_start_failed`, `postgres_disk_full`, `postgres_folder_unreadable`
 */
export async function launchServer(launch: Launch, password: string, fixedPort?: number): Promise<Server> {
  await trimLog(launch)
  for (let attempt = 1; ; attempt += 1) {
    const port = fixedPort ?? (await findFreePort())
    const logStart = await sizeOf(launch.logPath)
    const child = await spawnServer({
      program: join(launch.binaries.folder, 'bin', 'postgres'),
      args: serverArguments(launch.folder, port, launch.settings),
      account: launch.account,
      cwd: launch.folder,
      logPath: launch.logPath,
      endsWithParent: launch.endsWithParent,
    })
    const server = serverOfChild(launch, child, port)
    if (await isReady(launch, server, password)) return server
    const output = await readLog(launch.logPath, logStart)
    const isPortTaken = /could not bind|Address already in use/.test(output)
    if (!isPortTaken || fixedPort !== undefined || attempt >= PORT_ATTEMPTS_MAX)
      throw startFailure(launch.folder, output, child.exitCode)
  }
}

/** False when the server ended instead of getting ready. */
async function isReady(launch: Launch, server: Server, password: string): Promise<boolean> {
  let hasEnded = false
  void server.ended.then(() => (hasEnded = true))
  const sayWhy = launch.clock.every(10_000, () =>
    launch.log.info({ pid: server.pid }, 'PostgreSQL is recovering'),
  )
  try {
    await waitFor(
      launch.clock,
      'PostgreSQL to take connections',
      async () => hasEnded || (await saysReady(launch, server)),
      { timeoutMs: START_MS, everyMs: START_POLL_MS },
    )
    if (hasEnded) return false
    await answer(server.port, password)
    return true
  } catch (cause) {
    await server.stop()
    throw postgresErrors.postgres_start_failed({ folder: launch.folder }, { cause })
  } finally {
    sayWhy[Symbol.dispose]()
  }
}

async function saysReady(launch: Launch, server: Server): Promise<boolean> {
  const pidFile = await readPidFile(launch.folder)
  return pidFile?.pid === server.pid && pidFile.isReady
}

async function answer(port: number, password: string): Promise<void> {
  await using client = await connectClient({
    url: urlOf('postgres', password, port, 'postgres'),
    name: 'slipway start',
  })
  await client.query('select 1')
}

/** The server that outlived its parent, or undefined when it does not answer us. */
export async function adoptServer(
  launch: Launch,
  running: Running,
  password: string,
): Promise<Server | undefined> {
  try {
    await answer(running.port, password)
  } catch (thrown) {
    launch.log.warn(
      { pid: running.pid, error: messageOf(thrown) },
      'a PostgreSQL left running does not answer',
    )
    return undefined
  }
  // Not our child: its end is seen by looking.
  let resolveEnded: () => void = () => undefined
  const ended = new Promise<void>((resolve) => (resolveEnded = resolve))
  async function look(): Promise<void> {
    if (await isAlive(running.pid)) return
    watch[Symbol.dispose]()
    resolveEnded()
  }
  const watch = repeat(launch.clock, ALIVE_POLL_MS, look, (thrown) =>
    launch.log.warn({ error: messageOf(thrown) }, 'PostgreSQL could not be looked at'),
  )
  return serverOf(launch, running.pid, running.port, ended)
}

function serverOfChild(launch: Launch, child: ChildProcess, port: number): Server {
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const { pid } = child
  return serverOf(launch, must(pid, 'a process that was spawned has a pid'), port, ended)
}

function serverOf(launch: Launch, pid: number, port: number, ended: Promise<void>): Server {
  const logCheck = repeat(
    launch.clock,
    LOG_CHECK_MS,
    () => trimLog(launch),
    (thrown) => launch.log.warn({ error: messageOf(thrown) }, 'the log of PostgreSQL could not be cut'),
  )
  let hasEnded = false
  void ended.finally(() => {
    hasEnded = true
    logCheck[Symbol.dispose]()
  })

  async function stop(): Promise<void> {
    // Fast (ends connections, writes a checkpoint), then immediate (recovers at the next start), then by force.
    for (const [signal, timeoutMs] of [
      ['SIGINT', FAST_SHUTDOWN_MS],
      ['SIGQUIT', IMMEDIATE_SHUTDOWN_MS],
      ['SIGKILL', IMMEDIATE_SHUTDOWN_MS],
    ] as const) {
      if (hasEnded || !send(pid, signal)) break
      const waiting = new AbortController()
      await Promise.race([ended, launch.clock.sleep(timeoutMs, waiting.signal).catch(() => undefined)])
      waiting.abort(new Error('the server has ended'))
    }
  }
  return { pid, port, ended, stop }
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ESRCH') return false
    throw thrown
  }
}

/** Keeps one older file beside the log; the server appends, so cutting to nothing is safe. */
async function trimLog(launch: Launch): Promise<void> {
  if ((await sizeOf(launch.logPath)) <= LOG_BYTES_MAX) return
  const kept = await readLog(launch.logPath, 0, LOG_BYTES_MAX)
  await using older = await open(`${launch.logPath}.1.new`, 'w', 0o600)
  await older.writeFile(kept)
  await rename(`${launch.logPath}.1.new`, `${launch.logPath}.1`)
  await truncate(launch.logPath)
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(absent))?.size ?? 0
}

/** The last bytes of the log from `start` on. */
async function readLog(path: string, start: number, bytesMax = LOG_TAIL_BYTES): Promise<string> {
  const size = await sizeOf(path)
  const from = Math.max(start, size - bytesMax)
  if (size <= from) return ''
  await using file = await open(path, 'r')
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from)
  return buffer.subarray(0, bytesRead).toString('utf8')
}
