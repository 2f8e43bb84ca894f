import { createHash } from 'node:crypto'
import { link, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'

import type { Clock } from '@slipway/kit'
import { isRecord, newSecret, systemCodeOf } from '@slipway/kit'
import { absent, findText, replaceFile } from '@slipway/kit/files'

import { dataFolderErrors } from './data-folder-errors.ts'
import { findStartTime, identityOfMachine } from './process-identity.ts'
import type { MachineIdentity } from './process-identity.ts'

/*
 * One Slipway per data folder. The lock is a file that appears whole and only if there is none (link(2) fails on an existing
 * name). Whether the one who left it still lives is told by pid, start time and boot. Where that cannot be told, because the
 * holder sits in another container or on another machine that shares the folder, its heartbeat on the file's time decides.
 * Removing a dead holder's lock and taking its place is one step for others: a guard, held by the kernel and gone with its
 * process, lets one starter at a time do it.
 */
const LOCK = 'lock'
const HEARTBEAT_MS = 5_000
const HEARTBEAT_WATCH_MS = 4 * HEARTBEAT_MS
const HEARTBEAT_POLL_MS = 500
const GUARD_ATTEMPTS_MAX = 50
const GUARD_PAUSE_MS = 100
const ROUNDS_MAX = 5

export type LockHolder = MachineIdentity & {
  readonly token: string
  readonly pid: number
  /** Of the process, as the system counts it. */
  readonly startTime: string
  /** Where it answers; empty until it listens. */
  readonly address: string
}

export type DataFolderLock = AsyncDisposable & {
  /** Lets a second starter say where the first one answers. */
  readonly setAddress: (address: string) => Promise<void>
}

/**
 * Takes the lock of a data folder; it falls with this process. Waits up to 20 s where only a heartbeat can tell.
 * @throws {AppError} `data_folder_in_use`
 */
export async function lockDataFolder(folder: string, clock: Clock): Promise<DataFolderLock> {
  const path = join(folder, LOCK)
  const startTime = await findStartTime(process.pid)
  const mine: LockHolder = {
    ...(await identityOfMachine()),
    token: newSecret(12),
    pid: process.pid,
    startTime: startTime ?? '',
    address: '',
  }
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    if (await create(path, mine)) return held(path, mine, clock)
    const found = await read(path)
    if (!found) continue // given back in this moment
    if (!(await isAbandoned(path, found, mine, clock)))
      throw dataFolderErrors.data_folder_in_use({
        folder,
        pid: found.holder?.pid ?? 0,
        address: found.holder?.address ?? '',
      })
    if (await replace(path, found.text, mine, clock)) return held(path, mine, clock)
  }
  throw dataFolderErrors.data_folder_in_use({ folder, pid: 0, address: '' })
}

async function create(path: string, holder: LockHolder): Promise<boolean> {
  const unfinished = `${path}.${holder.token}`
  await writeFile(unfinished, JSON.stringify(holder), { mode: 0o600 })
  try {
    await link(unfinished, path)
    return true
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'EEXIST') return false
    throw thrown
  } finally {
    await rm(unfinished, { force: true })
  }
}

type Found = { readonly text: string; readonly holder: LockHolder | undefined }

async function read(path: string): Promise<Found | undefined> {
  const text = await findText(path)
  return text === undefined ? undefined : { text, holder: holderOf(text) }
}

function holderOf(text: string): LockHolder | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined // not ours to read; only its time can tell
  }
  if (!isRecord(value)) return undefined
  const { token, pid, startTime, address, bootId, machineId, pidNamespace } = value
  if (typeof pid !== 'number' || typeof token !== 'string' || typeof startTime !== 'string') return undefined
  if (typeof bootId !== 'string' || typeof machineId !== 'string' || typeof pidNamespace !== 'string')
    return undefined
  return {
    token,
    pid,
    startTime,
    bootId,
    machineId,
    pidNamespace,
    address: typeof address === 'string' ? address : '',
  }
}

/**
 * Judges a lock without its heartbeat. Pure.
 * @param startTime - of the process that has the holder's pid here and now; undefined when there is none
 */
export function judgeLock(
  holder: LockHolder,
  here: MachineIdentity,
  startTime: string | undefined,
): 'alive' | 'dead' | 'unknown' {
  if (holder.bootId !== here.bootId)
    return holder.machineId !== '' && holder.machineId === here.machineId ? 'dead' : 'unknown'
  if (holder.pidNamespace !== here.pidNamespace) return 'unknown'
  return startTime !== undefined && startTime === holder.startTime ? 'alive' : 'dead'
}

async function isAbandoned(
  path: string,
  found: Found,
  here: MachineIdentity,
  clock: Clock,
): Promise<boolean> {
  const { holder } = found
  const verdict = holder ? judgeLock(holder, here, await findStartTime(holder.pid)) : 'unknown'
  return verdict === 'unknown' ? !(await beats(path, clock)) : verdict === 'dead'
}

/** Watches for a change of the file's time, so that no two clocks are compared. */
async function beats(path: string, clock: Clock): Promise<boolean> {
  const first = await timeOf(path)
  for (let waitedMs = 0; waitedMs < HEARTBEAT_WATCH_MS; waitedMs += HEARTBEAT_POLL_MS) {
    await clock.sleep(HEARTBEAT_POLL_MS)
    if ((await timeOf(path)) !== first) return true
  }
  return false
}

async function timeOf(path: string): Promise<number> {
  return (await stat(path).catch(absent))?.mtimeMs ?? 0
}

/** Puts our lock in the place of exactly the one that was judged. */
async function replace(path: string, judged: string, mine: LockHolder, clock: Clock): Promise<boolean> {
  await using _guard = await takeGuard(path, clock)
  const now = await read(path)
  if (now && now.text !== judged) return false
  if (now) await rm(path, { force: true })
  return await create(path, mine)
}

/** An abstract socket: bound by one process at a time, released by the kernel. Elsewhere than on Linux there is none. */
async function takeGuard(path: string, clock: Clock): Promise<AsyncDisposable> {
  if (process.platform !== 'linux') return { [Symbol.asyncDispose]: () => Promise.resolve() }
  const name = `\0slipway-lock-${createHash('sha256').update(path).digest('hex').slice(0, 32)}`
  for (let attempt = 0; attempt < GUARD_ATTEMPTS_MAX; attempt += 1) {
    const server = createServer()
    const isBound = await new Promise<boolean>((resolve, reject) => {
      server.once('error', (error) => (systemCodeOf(error) === 'EADDRINUSE' ? resolve(false) : reject(error)))
      server.listen({ path: name }, () => resolve(true))
    })
    if (isBound)
      return { [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) }
    await clock.sleep(GUARD_PAUSE_MS)
  }
  throw dataFolderErrors.data_folder_in_use({ folder: path, pid: 0, address: '' })
}

function held(path: string, mine: LockHolder, clock: Clock): DataFolderLock {
  let holder = mine
  const heartbeat = clock.every(HEARTBEAT_MS, () => {
    const now = clock.now()
    // A missed beat is no harm; a folder that is gone shows itself to everyone else first.
    utimes(path, now, now).catch(() => undefined)
  })
  return {
    async setAddress(address) {
      holder = { ...holder, address }
      await replaceFile(path, JSON.stringify(holder))
    },
    async [Symbol.asyncDispose]() {
      heartbeat[Symbol.dispose]()
      const found = await read(path)
      if (found?.holder?.token === holder.token) await rm(path, { force: true })
    },
  }
}
