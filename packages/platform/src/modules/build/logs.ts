import { appendFile, mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

import { assert, MIB, serialQueue, systemCodeOf, type Clock, type SerialQueue } from '@slipway/kit'
import type { Kube } from '@slipway/kube'

/*
 * Logs of builds: one file each, a line per line, each with its time in front. The pod's log is followed with the Cluster's own
 * times, so a follower that begins again after a restart knows what it has already. A log is cut at a size: the first part is
 * kept, and a line says that there was more.
 */
export type BuildLogs = {
  /** A line of ours. */
  readonly note: (buildId: string, text: string) => Promise<void>
  /** Copies a container's log into the file, until it ends. One follower per build; a second call returns the first's end. */
  readonly follow: (
    kube: Kube,
    buildId: string,
    pod: { readonly namespace: string; readonly name: string },
    signal: AbortSignal,
  ) => Promise<void>
  readonly isFollowing: (buildId: string) => boolean
  /** Whole lines from an offset on; `next` is the offset after them. Undefined when there is no file. */
  readonly read: (
    buildId: string,
    offsetBytes: number,
  ) => Promise<{ readonly lines: readonly LogLine[]; readonly next: number } | undefined>
  readonly path: (buildId: string) => string
  /** Deletes logs whose last line is older. */
  readonly forget: (before: Date) => Promise<void>
}

export type LogLine = { readonly at: string; readonly text: string; readonly endBytes: number }

const LOG_MAX_BYTES = 16 * MIB
const LINE_MAX_BYTES = 16 * 1024
const READ_BYTES = 256 * 1024

export function buildLogs(folder: string, clock: Clock): BuildLogs {
  const queues = new Map<string, SerialQueue>()
  const following = new Map<string, Promise<void>>()
  const path = (buildId: string): string => {
    assert(/^bld_[0-9a-z]{26}$/u.test(buildId), 'ids of builds are made here')
    return join(folder, `${buildId}.log`)
  }

  async function append(buildId: string, lines: string): Promise<void> {
    const queue = queues.get(buildId) ?? serialQueue()
    queues.set(buildId, queue)
    await queue.run(async () => {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await appendFile(path(buildId), lines, { mode: 0o600 })
    })
  }

  const note: BuildLogs['note'] = (buildId, text) =>
    append(buildId, `${clock.now().toISOString()} slipway: ${oneLine(text)}\n`)

  async function copy(
    kube: Kube,
    buildId: string,
    pod: { readonly namespace: string; readonly name: string },
    signal: AbortSignal,
  ): Promise<void> {
    let last = await lastPodTime(path(buildId))
    const sinceTime = last === undefined ? {} : { sinceTime: new Date(last) }
    const stream = await kube.logs(pod, { follow: true, timestamps: true, signal, ...sinceTime })
    let sizeBytes = await sizeOf(path(buildId))
    let isCut = sizeBytes > LOG_MAX_BYTES
    for await (const lines of linesOf(stream)) {
      const fresh = lines.filter((line) => isNewer(line, last))
      last = timeOf(fresh.at(-1) ?? '') ?? last
      if (isCut || fresh.length === 0) continue
      const text = `${fresh.join('\n')}\n`
      sizeBytes += Buffer.byteLength(text)
      isCut = sizeBytes > LOG_MAX_BYTES
      await append(buildId, text)
      if (isCut)
        await note(buildId, `the log is longer than ${LOG_MAX_BYTES / MIB} MiB; the rest was left out`)
    }
  }

  return {
    note,
    path,
    isFollowing: (buildId) => following.has(buildId),
    follow(kube, buildId, pod, signal) {
      const known = following.get(buildId)
      if (known) return known
      const run = copy(kube, buildId, pod, signal).finally(() => following.delete(buildId))
      following.set(buildId, run)
      return run
    },
    async read(buildId, offsetBytes) {
      try {
        await using file = await open(path(buildId), 'r')
        const buffer = Buffer.alloc(READ_BYTES)
        const { bytesRead } = await file.read(buffer, 0, READ_BYTES, offsetBytes)
        return wholeLines(buffer.subarray(0, bytesRead), offsetBytes)
      } catch (thrown) {
        if (systemCodeOf(thrown) === 'ENOENT') return undefined
        throw thrown
      }
    },
    async forget(before) {
      for (const name of await readdir(folder).catch(() => [])) {
        const file = join(folder, name)
        const isOld = await stat(file).then(
          ({ mtime }) => mtime < before,
          () => false,
        )
        if (isOld) await rm(file, { force: true })
      }
    },
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/gu, ' ')
}

/** Time that a Cluster writes in front of a line. */
function timeOf(line: string): string | undefined {
  return /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) /u.exec(line)?.[1]
}

function isNewer(line: string, last: string | undefined): boolean {
  const time = timeOf(line)
  if (last === undefined || time === undefined) return true
  // The same number of digits on both sides, so that text order is time order.
  return padded(time) > padded(last)
}

function padded(time: string): string {
  const [seconds = '', fraction = ''] = time.replace('Z', '').split('.')
  return `${seconds}.${fraction.padEnd(9, '0')}`
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  )
}

/** Time of the last line that came from the pod; lines of ours begin with `slipway:` and are shorter in their time. */
async function lastPodTime(file: string): Promise<string | undefined> {
  const size = await sizeOf(file)
  if (size === 0) return undefined
  await using handle = await open(file, 'r')
  const buffer = Buffer.alloc(Math.min(size, READ_BYTES))
  await handle.read(buffer, 0, buffer.length, size - buffer.length)
  const lines = buffer.toString('utf8').split('\n').reverse()
  const times = lines
    .map((line) => timeOf(line))
    .filter((time) => time !== undefined && padded(time) !== undefined)
  return times.find((time) => (time?.length ?? 0) > 24)
}

/** Batches of whole lines, each cut to a length. */
async function* linesOf(stream: Readable): AsyncGenerator<string[]> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of stream) {
    rest += decoder.decode(chunk as Buffer, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > LINE_MAX_BYTES) rest = rest.slice(0, LINE_MAX_BYTES)
    if (lines.length > 0) yield lines.map((line) => line.replace(/\r$/u, '').slice(0, LINE_MAX_BYTES))
  }
  if (rest !== '') yield [rest]
}

function wholeLines(bytes: Buffer, offsetBytes: number): { lines: LogLine[]; next: number } {
  const lines: LogLine[] = []
  let start = 0
  for (let end = bytes.indexOf(10, start); end >= 0; end = bytes.indexOf(10, start)) {
    const line = bytes.subarray(start, end).toString('utf8')
    const at = timeOf(line) ?? ''
    start = end + 1
    lines.push({ at, text: at === '' ? line : line.slice(at.length + 1), endBytes: offsetBytes + start })
  }
  return { lines, next: offsetBytes + start }
}
