/*
 * From what an application wrote to the log that people read. The application appends to two raw files (stdout, stderr) that it
 * got as descriptors, so it never waits for us. `pump` reads on from the stored offsets, appends CRI lines to the current log
 * file, then stores offsets and log size in one small write. After a kill between the two the log is cut back to the stored size
 * and the same bytes are read again: nothing is lost and nothing doubled. What was read is given back to the disk by punching a
 * hole; where that is impossible, by truncating when everything is read.
 */
import { execFile } from 'node:child_process'
import { watch } from 'node:fs'
import { mkdir, open, readdir, rm, truncate, type FileHandle } from 'node:fs/promises'
import path from 'node:path'

import { errorOf, isRecord, MIB, messageOf, parseJson, serialQueue, type Clock } from '@slipway/kit'

import type { Log } from '../model.ts'
import { createStamp, formatOutput, LINE_PART_BYTES, type StreamName } from './cri.ts'

const LOG_FILE_BYTES = 10 * MIB
const LOG_FILE_COUNT = 5

const CHUNK_BYTES = 128 * 1024
const FREE_EVERY_BYTES = 4 * MIB
const BLOCK_BYTES = 4096
const POSITION_BYTES = 256
const SETTLE_MS = 40
const SAFETY_POLL_MS = 5_000
const STREAMS: readonly StreamName[] = ['stdout', 'stderr']

type Position = { stdout: number; stderr: number; sequence: number; logBytes: number }

/** The output of one attempt of a container. */
export type Output = AsyncDisposable & {
  readonly folder: string
  /** Reads everything there is. With `final` the last line needs no newline; nothing may be written afterwards. */
  readonly drain: (final: boolean) => Promise<void>
  /** Calls `listener` after lines were added and when the output is complete. */
  readonly onAppend: (listener: () => void) => Disposable
  readonly isComplete: () => boolean
}

export function logFile(folder: string, sequence: number): string {
  return path.join(folder, `log-${String(sequence).padStart(6, '0')}.cri`)
}

/** Sequence numbers of the log files in a folder, oldest first. */
export async function listLogFiles(folder: string): Promise<readonly number[]> {
  const names = await readdir(folder)
  return names
    .flatMap((name) => {
      const match = /^log-([0-9]{6,})\.cri$/.exec(name)
      return match ? [Number(match[1])] : []
    })
    .sort((a, b) => a - b)
}

export function rawFile(folder: string, stream: StreamName): string {
  return path.join(folder, `${stream}.raw`)
}

/** Opens the output of an attempt, new or left by an earlier agent, and follows it until disposed. */
export async function openOutput(options: {
  readonly folder: string
  readonly clock: Clock
  readonly log: Log
  readonly fileBytes?: number
}): Promise<Output> {
  const { folder, clock, log } = options
  const fileBytes = options.fileBytes ?? LOG_FILE_BYTES
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const positionFile = await open(path.join(folder, 'position'), 'a+').then(async (handle) => {
    await handle.close()
    return open(path.join(folder, 'position'), 'r+')
  })
  const position = await readPosition(positionFile)
  const raw = {
    stdout: await open(rawFile(folder, 'stdout'), 'a+', 0o600),
    stderr: await open(rawFile(folder, 'stderr'), 'a+', 0o600),
  }
  let logHandle = await openLog(folder, position)
  const freed = { stdout: 0, stderr: 0 }
  const stamp = createStamp(clock.now)
  const listeners = new Set<() => void>()
  const queue = serialQueue()
  let complete = false
  let closed = false
  let ending = false

  async function rotate(): Promise<void> {
    await logHandle.close()
    position.sequence += 1
    position.logBytes = 0
    logHandle = await openLog(folder, position)
    for (const sequence of await listLogFiles(folder))
      if (sequence <= position.sequence - LOG_FILE_COUNT) await rm(logFile(folder, sequence), { force: true })
  }

  /** Moves one chunk; returns false when there is nothing to move now. */
  async function pumpChunk(stream: StreamName, final: boolean): Promise<boolean> {
    if (ending) return false
    const { size } = await raw[stream].stat()
    if (size < position[stream]) position[stream] = 0 // truncated by the fallback below, or by a crash in the middle of it
    const wanted = Math.min(CHUNK_BYTES, size - position[stream])
    if (wanted === 0) return false
    const { bytesRead, buffer } = await raw[stream].read(
      Buffer.allocUnsafe(wanted),
      0,
      wanted,
      position[stream],
    )
    const atEnd = position[stream] + bytesRead >= size
    const { lines, consumedBytes } = formatOutput(
      buffer.subarray(0, bytesRead),
      stream,
      stamp,
      final && atEnd,
    )
    if (consumedBytes === 0) return false
    if (position.logBytes > 0 && position.logBytes + lines.length > fileBytes) await rotate()
    await logHandle.write(lines, 0, lines.length, position.logBytes)
    position.logBytes += lines.length
    position[stream] += consumedBytes
    await writePosition(positionFile, position)
    return bytesRead >= LINE_PART_BYTES || !atEnd
  }

  async function freeRead(stream: StreamName): Promise<void> {
    if (position[stream] - freed[stream] < FREE_EVERY_BYTES) return
    const untilBytes = position[stream] - (position[stream] % BLOCK_BYTES)
    if (await punchHole(rawFile(folder, stream), untilBytes)) {
      freed[stream] = untilBytes
      return
    }
    // Without holes only a file that is read to its end can be freed; a line written in this very moment would go with it.
    const { size } = await raw[stream].stat()
    if (size !== position[stream]) return
    await truncate(rawFile(folder, stream), 0)
    position[stream] = 0
    freed[stream] = 0
    await writePosition(positionFile, position)
  }

  async function pump(final: boolean): Promise<void> {
    if (closed || complete) return
    const before = position.stdout + position.stderr + position.sequence
    for (const stream of STREAMS) {
      for (;;) {
        if (!(await pumpChunk(stream, final))) break
        await freeRead(stream)
        for (const listener of listeners) listener()
      }
    }
    if (final) complete = true
    if (final || before !== position.stdout + position.stderr + position.sequence)
      for (const listener of listeners) listener()
  }

  function pumpSoon(): void {
    queue
      .run(() => pump(false))
      .catch((error: unknown) =>
        log('error', 'reading the output of a container failed', { folder, error: messageOf(error) }),
      )
  }

  const following = followFolder({ folder, clock, log, onChange: pumpSoon })
  pumpSoon()

  return {
    folder,
    drain: (final) => queue.run(() => pump(final)),
    isComplete: () => complete || closed,
    onAppend(listener) {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
    async [Symbol.asyncDispose]() {
      following[Symbol.dispose]()
      // A noisy application may never let us reach the end: what is unread now is read by the next one who opens this.
      ending = true
      await queue.run(async () => {
        closed = true
        for (const handle of [positionFile, raw.stdout, raw.stderr, logHandle]) await handle.close()
      })
      for (const listener of listeners) listener()
    },
  }
}

async function openLog(folder: string, position: Position): Promise<FileHandle> {
  const file = logFile(folder, position.sequence)
  const handle = await open(file, 'a').then(async (created) => {
    await created.close()
    return open(file, 'r+')
  })
  const { size } = await handle.stat()
  if (size > position.logBytes) await handle.truncate(position.logBytes)
  else position.logBytes = size
  return handle
}

/** The position has a fixed length, so that replacing it is one write that a kill cannot tear. */
async function writePosition(handle: FileHandle, position: Position): Promise<void> {
  await handle.write(JSON.stringify(position).padEnd(POSITION_BYTES), 0, 'latin1')
}

async function readPosition(handle: FileHandle): Promise<Position> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(POSITION_BYTES), 0, POSITION_BYTES, 0)
  const text = buffer.toString('latin1', 0, bytesRead).trim()
  const value = text === '' ? {} : parseJson(text)
  const numberAt = (key: string): number => {
    const number = isRecord(value) ? value[key] : undefined
    return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : 0
  }
  return {
    stdout: numberAt('stdout'),
    stderr: numberAt('stderr'),
    sequence: numberAt('sequence'),
    logBytes: numberAt('logBytes'),
  }
}

/** Gives the blocks before `untilBytes` back to the disk; false where program or file system cannot. */
function punchHole(file: string, untilBytes: number): Promise<boolean> {
  if (untilBytes === 0) return Promise.resolve(true)
  return new Promise((resolve) => {
    const program = 'fallocate'
    execFile(program, ['--punch-hole', '--offset', '0', '--length', String(untilBytes), file], (error) =>
      resolve(error === null),
    )
  })
}

/** Calls `onChange` soon after something changed in the folder; a slow poll covers what the notification missed. */
function followFolder(options: {
  readonly folder: string
  readonly clock: Clock
  readonly log: Log
  readonly onChange: () => void
}): Disposable {
  const { folder, clock, log, onChange } = options
  let due: Disposable | undefined
  const soon = (): void => {
    due ??= clock.after(SETTLE_MS, () => {
      due = undefined
      onChange()
    })
  }
  const watcher = tryWatch()
  const poll = clock.every(watcher ? SAFETY_POLL_MS : SETTLE_MS * 5, onChange)

  function tryWatch(): Disposable | undefined {
    try {
      const watching = watch(folder, { persistent: false }, (_, name) => {
        if (name === null || name.endsWith('.raw')) soon()
      })
      watching.on('error', (error) =>
        log('warn', 'watching a log folder failed', { folder, error: messageOf(error) }),
      )
      return { [Symbol.dispose]: () => watching.close() }
    } catch (error) {
      log('warn', 'cannot watch a log folder, polling it instead', { folder, error: errorOf(error).message })
      return undefined
    }
  }

  return {
    [Symbol.dispose]() {
      watcher?.[Symbol.dispose]()
      poll[Symbol.dispose]()
      due?.[Symbol.dispose]()
    },
  }
}
