import { mkdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'

import type { Clock, Random } from '@slipway/kit'
import { messageOf, retryDelayMs } from '@slipway/kit'

import type { Log } from '../log.ts'
import { accountForPostgres } from './account.ts'
import type { Account } from './account.ts'
import { findBinaries, usableBinaries } from './binaries.ts'
import {
  closeFolder,
  giveTo,
  initializeData,
  inspectData,
  resetPassword,
  translateSystemError,
} from './data.ts'
import { clearFolder, findServer } from './leftovers.ts'
import { createPasswords, readPasswords } from './passwords.ts'
import type { Passwords } from './passwords.ts'
import { DATABASE, ensureRoles, urlOf } from './roles.ts'
import { adoptServer, launchServer } from './server.ts'
import type { Launch, Server } from './server.ts'

/*
 * Order of a start, so that it can be killed anywhere and the next one goes on:
 *   passwords on the disk → initdb beside its place → rename → (from here on there is data)
 *   a server that outlived its parent is adopted at its port, anything else that works in the folder is ended
 *   server on a free port → roles and database where they are missing
 */
const RESTART_DELAY = { firstMs: 200, maxMs: 30_000 }

export type EmbeddedPostgresOptions = {
  /** Slipway's data folder: the server's files go to `postgres` in it, the passwords to `keys/postgres.json`. */
  readonly dataFolder: string
  /** Where the binaries are copied to when another account has to run them. */
  readonly runtimesFolder: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Whether root may make the account `slipway-postgres`; default true, otherwise `nobody` runs the server. */
  readonly mayCreateAccount?: boolean
  /** Whether the server shuts down when this process dies without a word; default true, best effort (Linux with util-linux). */
  readonly endsWithParent?: boolean
  /** More server settings. */
  readonly settings?: Readonly<Record<string, string>>
}

export type EmbeddedPostgres = AsyncDisposable & {
  /** DATABASE_OWNER_URL: migrates and backs up. */
  readonly ownerUrl: string
  /** DATABASE_URL: what the platform works with. */
  readonly appUrl: string
  /** For what only a superuser can do; nothing in the product uses it. */
  readonly superuserUrl: string
  readonly port: number
  /** Of the server now; it changes when a crashed server was started again. */
  readonly pid: () => number
  /** Of the binaries, such as `18.4.0-beta.17`. */
  readonly version: string
  /** True when the server was found running. */
  readonly isAdopted: boolean
  /** Ends all connections and shuts down; idempotent. */
  readonly stop: () => Promise<void>
}

/**
 * Starts the PostgreSQL that comes with Slipway, on a free loopback port, and starts it again at the same port should it crash.
 * Blocks while the server recovers from a crash, at most ten minutes.
 * @throws {AppError} `postgres_unsupported`, `postgres_binaries_missing`, `postgres_data_version`, `postgres_data_foreign`,
 *   `postgres_data_in_use`, `postgres_disk_full`, `postgres_folder_unreadable`, `postgres_start_failed`
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  try {
    return await start(options)
  } catch (thrown) {
    throw translateSystemError(options.dataFolder, thrown)
  }
}

async function start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log } = options
  const account = await accountForPostgres({ mayCreate: options.mayCreateAccount ?? true, log })
  const binaries = await usableBinaries(await findBinaries(), options.runtimesFolder, account !== undefined)
  await mkdir(options.dataFolder, { recursive: true })
  const dataFolder = await realpath(options.dataFolder)
  const launch: Launch = {
    folder: join(dataFolder, 'postgres'),
    binaries,
    account,
    logPath: join(dataFolder, 'postgres.log'),
    settings: options.settings ?? {},
    endsWithParent: options.endsWithParent ?? true,
    clock: options.clock,
    log,
  }
  const passwords = await prepareData(launch, join(dataFolder, 'keys', 'postgres.json'))
  const running = await findServer(launch)
  const adopted = running && (await adoptServer(launch, running, passwords.superuser))
  if (!adopted) await clearFolder(launch)
  const server = adopted ?? (await launchServer(launch, passwords.superuser))
  try {
    await ensureRoles(server.port, passwords)
  } catch (thrown) {
    await server.stop()
    throw thrown
  }
  log.info({ port: server.port, pid: server.pid, adopted: adopted !== undefined }, 'PostgreSQL is running')
  return supervise(options, launch, { server, passwords, isAdopted: adopted !== undefined })
}

async function prepareData(launch: Launch, passwordsPath: string): Promise<Passwords> {
  const { folder, binaries, account } = launch
  const state = await inspectData(folder, binaries.major)
  const kept = await readPasswords(passwordsPath)
  const passwords = kept ?? (await createPasswords(passwordsPath))
  if (state === 'absent') {
    launch.log.info({ folder }, 'making a new PostgreSQL data folder')
    await initializeData({ folder, binaries, account, password: passwords.superuser })
    return passwords
  }
  if (account) await handOver(launch, account)
  if (((await stat(folder)).mode & 0o077) !== 0) await closeFolder(folder)
  if (!kept) {
    launch.log.warn({ passwordsPath }, 'the database passwords were lost; new ones are set')
    await clearFolder(launch)
    await resetPassword({ folder, binaries, account, password: passwords.superuser })
  }
  return passwords
}

async function handOver(launch: Launch, account: Account): Promise<void> {
  const { uid } = await stat(launch.folder)
  if (uid === account.uid) return
  // The other account's server would go on writing.
  await clearFolder(launch)
  await giveTo(account, launch.folder)
}

type Started = { readonly server: Server; readonly passwords: Passwords; readonly isAdopted: boolean }

function supervise(options: EmbeddedPostgresOptions, launch: Launch, started: Started): EmbeddedPostgres {
  const { passwords } = started
  const { port } = started.server
  const { log, clock, random } = options
  const stopping = new AbortController()
  let server = started.server
  const supervision = keepRunning().catch((thrown: unknown) => {
    // Being stopped while waiting for the next attempt is the one way this ends early.
    if (!stopping.signal.aborted) log.error({ error: messageOf(thrown) }, 'PostgreSQL is no longer watched')
  })

  async function keepRunning(): Promise<void> {
    for (;;) {
      await server.ended
      if (stopping.signal.aborted) return
      log.error({ pid: server.pid }, 'PostgreSQL ended unexpectedly and is started again')
      for (let attempt = 0; !(await tryRestart()); attempt += 1)
        await clock.sleep(retryDelayMs(attempt, random, RESTART_DELAY), stopping.signal)
    }
  }

  async function tryRestart(): Promise<boolean> {
    try {
      await clearFolder(launch)
      if (stopping.signal.aborted) return true
      server = await launchServer(launch, passwords.superuser, port)
      return true
    } catch (thrown) {
      log.error({ error: messageOf(thrown) }, 'PostgreSQL could not be started again')
      return false
    }
  }

  async function stop(): Promise<void> {
    stopping.abort(new Error('PostgreSQL is being stopped'))
    await server.stop()
    // A restart that was under way ends first, so that no server is left behind.
    await supervision
    await server.stop()
  }

  return {
    ownerUrl: urlOf('slipway_owner', passwords.owner, port, DATABASE),
    appUrl: urlOf('slipway_app', passwords.app, port, DATABASE),
    superuserUrl: urlOf('postgres', passwords.superuser, port, 'postgres'),
    port,
    pid: () => server.pid,
    version: launch.binaries.version,
    isAdopted: started.isAdopted,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
