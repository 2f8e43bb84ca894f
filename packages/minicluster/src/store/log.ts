import { mkdir, open, readdir, readFile, rename, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'

import type { Log } from '../model.ts'
import { encodeFrame, readFrames, type Entry, type ReadEntry, type ReadFrames } from './frames.ts'

/*
 * Files in the store's folder:
 *   log-<version>       changes after <version>, in order; only the newest is appended to
 *   snapshot-<version>  every object as of <version>, closed by a mark frame `end`
 * A snapshot is written beside the running log: the log is rotated first, the snapshot gets a temporary name, is synced and
 * renamed, and only then are the files it replaces deleted. Whatever moment the process dies in, the newest whole snapshot
 * plus the logs from its version on give the state.
 */
const SLICE_BYTES = 1024 * 1024
const END_MARK = 'end'

export type LogFolder = AsyncDisposable & {
  /** Appends and syncs; resolves when durable. A failed write leaves the file as it was; a failed sync throws `SyncError`. */
  readonly append: (entries: readonly Entry[]) => Promise<void>
  /** Bytes of all logs since the last snapshot. */
  readonly sizeBytes: () => number
  /** Starts a new log file for what comes after `version`. */
  readonly rotate: (version: number) => Promise<void>
  /** Writes the snapshot of `version`, then deletes what it replaces. Returns its size. */
  readonly writeSnapshot: (version: number, entries: Iterable<Entry>) => Promise<number>
}

/** After this the state of the file is unknown and nothing more may be acknowledged. */
export class SyncError extends Error {
  override readonly name = 'SyncError'
}

export type Recovered = {
  readonly entries: readonly ReadEntry[]
  readonly version: number
  readonly snapshotBytes: number
  readonly logBytes: number
}

/**
 * Opens the folder (made if absent, 0700) and reads what is there.
 * @throws {Error} when a file other than the newest log's tail is damaged
 */
export async function openLogFolder(
  folder: string,
  log: Log,
): Promise<{ folder: LogFolder; recovered: Recovered }> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const recovered = await recover(folder, log)
  return { folder: await startAppending(folder, recovered), recovered }
}

async function recover(folder: string, log: Log): Promise<Recovered> {
  const names = await readdir(folder)
  await Promise.all(names.filter((name) => name.endsWith('.tmp')).map((name) => rm(join(folder, name))))
  const snapshotVersion = versionsOf(names, 'snapshot').at(-1)
  let version = snapshotVersion ?? 0
  let entries: ReadEntry[] = []
  let snapshotBytes = 0
  let logBytes = 0
  if (snapshotVersion !== undefined) {
    const bytes = await readFile(join(folder, `snapshot-${snapshotVersion}`))
    snapshotBytes = bytes.length
    const read = readFrames(bytes)
    if (read.goodBytes !== bytes.length || read.entries.at(-1)?.mark !== END_MARK)
      throw new Error(`snapshot-${snapshotVersion} in ${folder} is damaged; restore it from a backup`)
    entries = read.entries
  }
  const logs = versionsOf(names, 'log').filter((start) => start >= version)
  for (const start of logs) {
    const read = await readLog(join(folder, `log-${start}`), start === logs.at(-1), log)
    // One by one: a spread of a long list would not fit the stack.
    logBytes += read.goodBytes
    for (const entry of read.entries) if (entry.version > version) entries.push(entry)
    version = read.entries.at(-1)?.version ?? version
  }
  return { entries, version, snapshotBytes, logBytes }
}

async function readLog(path: string, newest: boolean, log: Log): Promise<ReadFrames> {
  const bytes = await readFile(path)
  const { entries, goodBytes } = readFrames(bytes)
  if (goodBytes < bytes.length) {
    if (!newest) throw new Error(`${path} is damaged at byte ${goodBytes}; restore it from a backup`)
    // Never acknowledged: an acknowledgement follows the sync of everything before it.
    log('warn', 'the log ended in an unfinished write, which was dropped', {
      droppedBytes: bytes.length - goodBytes,
    })
    const file = await open(path, 'r+')
    try {
      await file.truncate(goodBytes)
      await file.sync()
    } finally {
      await file.close()
    }
  }
  return { entries, goodBytes }
}

function versionsOf(names: readonly string[], prefix: string): number[] {
  return names
    .map((name) => new RegExp(`^${prefix}-(\\d+)$`).exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b)
}

async function startAppending(folder: string, recovered: Recovered): Promise<LogFolder> {
  let current = recovered.version
  let file = await createLog(folder, current)
  let offset = (await file.stat()).size
  let earlierBytes = recovered.logBytes - offset
  return {
    async append(entries) {
      const parts = entries.flatMap(encodeFrame)
      await writeAll(file, parts, offset)
      try {
        await file.datasync()
      } catch (cause) {
        throw new SyncError(`cannot sync log-${current} in ${folder}`, { cause })
      }
      for (const part of parts) offset += part.length
    },
    sizeBytes: () => earlierBytes + offset,
    async rotate(next) {
      const fresh = await createLog(folder, next)
      await file.close()
      file = fresh
      current = next
      earlierBytes = 0
      offset = 0
    },
    async writeSnapshot(of, entries) {
      const sizeBytes = await writeSnapshotFile(folder, of, entries)
      for (const name of await readdir(folder)) {
        const match = /^(?:log|snapshot)-(\d+)$/.exec(name)
        if (match && Number(match[1]) < of) await rm(join(folder, name))
      }
      return sizeBytes
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
}

async function createLog(folder: string, version: number): Promise<FileHandle> {
  const path = join(folder, `log-${version}`)
  // Not 'a': positions are given, so that a failed write is overwritten by the next one.
  const file = await open(path, 'r+').catch(() => open(path, 'w+', 0o600))
  await syncFolder(folder)
  return file
}

async function writeAll(file: FileHandle, parts: readonly Buffer[], startOffset: number): Promise<void> {
  const bytes = Buffer.concat(parts)
  let writtenBytes = 0
  try {
    while (writtenBytes < bytes.length) {
      const { bytesWritten } = await file.write(
        bytes,
        writtenBytes,
        bytes.length - writtenBytes,
        startOffset + writtenBytes,
      )
      writtenBytes += bytesWritten
    }
  } catch (cause) {
    await file.truncate(startOffset).catch((truncateCause: unknown) => {
      throw new SyncError('cannot take back a failed write', { cause: truncateCause })
    })
    throw new Error('cannot write to the log', { cause })
  }
}

async function writeSnapshotFile(folder: string, version: number, entries: Iterable<Entry>): Promise<number> {
  const path = join(folder, `snapshot-${version}`)
  const file = await open(`${path}.tmp`, 'w', 0o600)
  let sizeBytes = 0
  try {
    let parts: Buffer[] = []
    let sliceBytes = 0
    const flush = async (): Promise<void> => {
      await file.appendFile(Buffer.concat(parts))
      sizeBytes += sliceBytes
      parts = []
      sliceBytes = 0
    }
    for (const entry of entries) {
      for (const part of encodeFrame(entry)) {
        parts.push(part)
        sliceBytes += part.length
      }
      if (sliceBytes >= SLICE_BYTES) await flush()
    }
    parts.push(...encodeFrame({ version, mark: END_MARK }))
    await flush()
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.tmp`, path)
  await syncFolder(folder)
  return sizeBytes
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
