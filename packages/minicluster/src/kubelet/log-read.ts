/** Reading a container's log: previous, follow, timestamps, tail, since and byte limits are all plain file reads. */
import { once } from 'node:events'
import { open, readFile, type FileHandle } from 'node:fs/promises'
import { PassThrough, type Readable } from 'node:stream'

import { errorOf } from '@slipway/kit'
import { absent } from '@slipway/kit/files'

import type { LogOptions } from '../model.ts'
import { parseCriLine, type CriLine } from './cri.ts'
import { listLogFiles, logFile } from './output.ts'

const READ_BYTES = 64 * 1024
const NEWLINE = 0x0a

/** A growing log: what follow needs to know. */
export type Live = {
  readonly isComplete: () => boolean
  readonly onAppend: (listener: () => void) => Disposable
}

type Place = { readonly sequence: number; readonly offset: number }

/** The log as bytes; ends at its end, with `follow` when the container's output is complete. */
export function readLog(
  folder: string,
  live: Live | undefined,
  options: LogOptions & { readonly now: Date },
): Readable {
  const output = new PassThrough()
  const controller = new AbortController()
  output.once('close', () => controller.abort(new Error('the reader went away')))
  void writeLog({ folder, live, options, output, signal: controller.signal }).then(
    () => output.end(),
    (error: unknown) => {
      if (!controller.signal.aborted) output.destroy(errorOf(error))
    },
  )
  return output
}

async function writeLog(task: {
  readonly folder: string
  readonly live: Live | undefined
  readonly options: LogOptions & { readonly now: Date }
  readonly output: PassThrough
  readonly signal: AbortSignal
}): Promise<void> {
  const { folder, live, options, output, signal } = task
  const since = sinceText(options)
  const timestamps = options.timestamps === true
  let leftBytes = options.limitBytes ?? Infinity
  let atLineStart = true
  const start = options.tailLines === undefined ? undefined : await findTail(folder, options.tailLines)
  const following = options.follow === true ? live : undefined
  for await (const lines of followLines({ folder, start, live: following, signal })) {
    const parts: Buffer[] = []
    for (const line of lines) {
      if (since !== undefined && line.time < since) continue
      if (timestamps && atLineStart) parts.push(Buffer.from(`${line.time} `, 'latin1'))
      parts.push(line.text)
      if (line.full) parts.push(Buffer.from('\n'))
      atLineStart = line.full
    }
    const bytes = Buffer.concat(parts)
    if (bytes.length === 0) continue
    if (!output.write(bytes.subarray(0, Math.min(bytes.length, leftBytes))))
      await once(output, 'drain', { signal })
    leftBytes -= bytes.length
    if (leftBytes <= 0) return
  }
}

/** Times are compared as text, which RFC 3339 in UTC with fixed digits allows. */
function sinceText(options: LogOptions & { readonly now: Date }): string | undefined {
  const at =
    options.sinceTime ??
    (options.sinceSeconds === undefined
      ? undefined
      : new Date(options.now.getTime() - options.sinceSeconds * 1_000))
  return at?.toISOString().replace('Z', '000000Z')
}

/** Lines from `start` (default: the oldest there is) on, in batches; with `live` also those to come. */
export async function* followLines(options: {
  readonly folder: string
  readonly start: Place | undefined
  readonly live: Live | undefined
  readonly signal: AbortSignal
}): AsyncGenerator<readonly CriLine[]> {
  const { folder, live, signal } = options
  const start = options.start ?? { sequence: (await listLogFiles(folder))[0] ?? 0, offset: 0 }
  let sequence = start.sequence
  let offset = start.offset
  for (;;) {
    signal.throwIfAborted()
    // Asked before reading: what is complete now has been written before we read.
    const complete = live === undefined || live.isComplete()
    const appended = live === undefined || complete ? undefined : nextAppend(live, signal)
    const sequences = await listLogFiles(folder)
    const isLast = !sequences.some((other) => other > sequence)
    const handle = await openIfThere(logFile(folder, sequence))
    if (handle) {
      await using file = handle
      for (;;) {
        const batch = await readBatch(file, offset)
        if (batch.lines.length === 0) break
        offset += batch.readBytes
        yield batch.lines
        signal.throwIfAborted()
      }
    }
    if (!isLast) {
      sequence = Math.max(sequence + 1, sequences[0] ?? 0)
      offset = 0
    } else if (appended === undefined) return
    else await appended
  }
}

function nextAppend(live: Live, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const subscription = live.onAppend(finish)
    signal.addEventListener('abort', finish, { once: true })
    function finish(): void {
      subscription[Symbol.dispose]()
      signal.removeEventListener('abort', finish)
      resolve()
    }
  })
}

async function readBatch(
  handle: FileHandle,
  offset: number,
): Promise<{ readonly lines: readonly CriLine[]; readonly readBytes: number }> {
  const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(READ_BYTES), 0, READ_BYTES, offset)
  const lines: CriLine[] = []
  let position = 0
  while (position < bytesRead) {
    const newline = buffer.subarray(0, bytesRead).indexOf(NEWLINE, position)
    if (newline === -1) break
    const line = parseCriLine(buffer.subarray(position, newline))
    if (line) lines.push(line)
    position = newline + 1
  }
  return { lines, readBytes: position }
}

/** Where the last `count` lines begin; parts belong to the line they end in. */
export async function findTail(folder: string, count: number): Promise<Place> {
  const sequences = await listLogFiles(folder)
  let left = count
  let place: Place = { sequence: sequences[0] ?? 0, offset: 0 }
  for (const sequence of [...sequences].reverse()) {
    const bytes = await readFile(logFile(folder, sequence))
    const ends = lineEnds(bytes)
    if (ends.length > left || (count === 0 && left === 0))
      return { sequence, offset: left === 0 ? bytes.length : (ends.at(-left - 1) ?? 0) }
    left -= ends.length
    place = { sequence, offset: 0 }
  }
  return place
}

/** Offsets just behind each whole line. */
function lineEnds(bytes: Buffer): readonly number[] {
  const ends: number[] = []
  let position = 0
  for (let newline = bytes.indexOf(NEWLINE); newline !== -1; newline = bytes.indexOf(NEWLINE, position)) {
    if (parseCriLine(bytes.subarray(position, newline))?.full === true) ends.push(newline + 1)
    position = newline + 1
  }
  return ends
}

/** Undefined when it was rotated away between listing and opening. */
async function openIfThere(file: string): Promise<FileHandle | undefined> {
  return await open(file, 'r').catch(absent)
}

/** The end of a log as text: at most `maxLines` lines and `maxBytes` bytes, for termination messages. */
export async function readLogEnd(folder: string, maxLines: number, maxBytes: number): Promise<string> {
  const start = await findTail(folder, maxLines)
  const parts: Buffer[] = []
  for await (const lines of followLines({
    folder,
    start,
    live: undefined,
    signal: new AbortController().signal,
  }))
    for (const line of lines) parts.push(line.text, Buffer.from(line.full ? '\n' : ''))
  const bytes = Buffer.concat(parts)
  return bytes.subarray(Math.max(0, bytes.length - maxBytes)).toString('utf8')
}
