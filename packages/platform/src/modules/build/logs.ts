import { Readable } from 'node:stream'

import type { Database } from '@slipway/db'
import { MIB, type Clock } from '@slipway/kit'
import type { Kube } from '@slipway/kube'

import { parseStamp, secondOf, stampText, type Stamp } from '../../stamp.ts'
import type { Db, Tables } from '../../tables.ts'
import * as queries from './log-queries.ts'

/*
 * Logs of builds: rows of whole lines, each line with its time in front, so every replica shows them. The pod's log is followed
 * with the Cluster's own times. How far it was copied is written with the lines, in one transaction: the last time, of which the
 * lines are counted where it matters. So a follower that begins again knows what is there already, and two replicas that follow
 * at once, as after a change of leader, double nothing and lose nothing. A log is cut at a size: the first part is kept, and a
 * line says that there was more.
 */
export type BuildLogs = {
  /** A line of ours. */
  readonly note: (buildId: string, text: string) => Promise<void>
  /** Copies a container's log, until it ends. One follower per build; a second call returns the first's end. */
  readonly follow: (
    kube: Kube,
    buildId: string,
    pod: { readonly namespace: string; readonly name: string },
    signal: AbortSignal,
  ) => Promise<void>
  /** In this process. */
  readonly isFollowing: (buildId: string) => boolean
  /** Whole lines from an offset on; `next` is the offset after them. Undefined when there is no log. */
  readonly read: (
    buildId: string,
    offsetBytes: number,
  ) => Promise<{ readonly lines: readonly LogLine[]; readonly next: number } | undefined>
  /** The whole log as text; undefined when there is none. */
  readonly open: (buildId: string) => Promise<Readable | undefined>
  /** Deletes logs whose last line is older. */
  readonly forget: (before: Date) => Promise<void>
}

/** A line of a pod: its text with the time in front, and which of the lines with that time it is, from 1. */
type PodLine = { readonly text: string; readonly at: Stamp | undefined; readonly count: number }

/** How much of a log was there when a follower last wrote to it; undefined before. */
type Follower = { writtenBytes: number | undefined }

export type LogLine = { readonly at: string; readonly text: string; readonly endBytes: number }

const LOG_MAX_BYTES = 16 * MIB
const LINE_MAX_BYTES = 16 * 1024

export function buildLogs(database: Pick<Database<Tables>, 'transact'>, clock: Clock): BuildLogs {
  const following = new Map<string, Promise<void>>()

  /** What is new of a pod's lines; false when no more is taken. */
  async function append(buildId: string, follower: Follower, lines: readonly PodLine[]): Promise<boolean> {
    return database.transact('all', async (db) => {
      const head = await queries.lockLog(db, buildId)
      // Deleted with its Application: nobody will read it.
      if (!head || head.sizeBytes > LOG_MAX_BYTES) return false
      // Nobody else has written: what follows is new, even where the node's clock was set back.
      const isAlone = head.sizeBytes === follower.writtenBytes
      const fresh = isAlone ? lines : await freshOf(db, head, lines)
      if (fresh.length === 0) return true
      const text = `${fresh.map((line) => line.text).join('\n')}\n`
      const isCut = head.sizeBytes + Buffer.byteLength(text) > LOG_MAX_BYTES
      const last = isCut
        ? ownLine(`the log is longer than ${LOG_MAX_BYTES / MIB} MiB; the rest was left out`)
        : ''
      const content = Buffer.from(text + last)
      const lastPodTime = latestOf(head, fresh)
      await queries.appendLog(db, head, { content, lastPodTime, now: clock.now() })
      follower.writtenBytes = head.sizeBytes + content.length
      return !isCut
    })
  }

  const ownLine = (text: string): string => `${clock.now().toISOString()} slipway: ${oneLine(text)}\n`

  async function copy(
    kube: Kube,
    buildId: string,
    pod: { readonly namespace: string; readonly name: string },
    signal: AbortSignal,
  ): Promise<void> {
    const last = await database.transact('all', (db) => queries.lastPodTime(db, buildId), { readOnly: true })
    const lastAt = last === undefined ? undefined : parseStamp(last)
    const sinceTime = lastAt === undefined ? {} : { sinceTime: secondOf(lastAt) }
    const stream = await kube.logs(pod, { follow: true, timestamps: true, signal, ...sinceTime })
    let isOpen = true
    const follower: Follower = { writtenBytes: undefined }
    const counted = countingTimes()
    // Read to its end all the same: that is when the container ended.
    for await (const lines of linesOf(stream))
      isOpen = isOpen && (await append(buildId, follower, lines.map(counted)))
  }

  return {
    async note(buildId, text) {
      await database.transact('all', async (db) => {
        const head = await queries.lockLog(db, buildId)
        if (!head) return
        const { lastPodTime } = head
        await queries.appendLog(db, head, {
          content: Buffer.from(ownLine(text)),
          lastPodTime,
          now: clock.now(),
        })
      })
    },
    isFollowing: (buildId) => following.has(buildId),
    follow(kube, buildId, pod, signal) {
      const known = following.get(buildId)
      if (known) return known
      const run = copy(kube, buildId, pod, signal).finally(() => following.delete(buildId))
      following.set(buildId, run)
      return run
    },
    async read(buildId, offsetBytes) {
      const found = await database.transact('all', (db) => queries.readLog(db, buildId, offsetBytes), {
        readOnly: true,
      })
      return found && wholeLines(found, offsetBytes)
    },
    async open(buildId) {
      const read = (offsetBytes: number): Promise<Buffer | undefined> =>
        database.transact('all', (db) => queries.readLog(db, buildId, offsetBytes), { readOnly: true })
      const first = await read(0)
      if (first === undefined) return undefined
      async function* parts(begun: Buffer): AsyncGenerator<Buffer> {
        let part: Buffer | undefined = begun
        let offsetBytes = 0
        while (part !== undefined && part.length > 0) {
          yield part
          offsetBytes += part.length
          part = await read(offsetBytes)
        }
      }
      return Readable.from(parts(first))
    },
    async forget(before) {
      await database.transact('all', (db) => queries.deleteLogsBefore(db, before))
    },
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/gu, ' ')
}

/** Time in front of a line of a log that is kept. */
function timeOf(line: string): string | undefined {
  return /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) /u.exec(line)?.[1]
}

/** Takes the lines of one reading in order. Times are written in one way, whatever zone the node is in. */
function countingTimes(): (line: string) => PodLine {
  let last: Stamp | undefined
  let count = 0
  return (line) => {
    const space = line.indexOf(' ')
    const at = space < 0 ? undefined : parseStamp(line.slice(0, space))
    // What a node says in place of a log has no time.
    if (at === undefined) return { text: line, at, count: 0 }
    count = at === last ? count + 1 : 1
    last = at
    return { text: `${stampText(at)} ${line.slice(space + 1)}`, at, count }
  }
}

/** The lines behind the last one that is kept. */
async function freshOf(
  db: Db,
  head: queries.LogHead,
  lines: readonly PodLine[],
): Promise<readonly PodLine[]> {
  const lastAt = head.lastPodTime === undefined ? undefined : parseStamp(head.lastPodTime)
  if (lastAt === undefined) return lines
  const hasTie = lines.some(({ at }) => at === lastAt)
  const kept = hasTie ? await keptWith(db, head, `${stampText(lastAt)} `) : 0
  return lines.filter(({ at, count }) => at === undefined || at > lastAt || (at === lastAt && count > kept))
}

/** How many of the last lines begin so, as lines of ours never do: their times are shorter. */
async function keptWith(db: Db, head: queries.LogHead, start: string): Promise<number> {
  const tail = await queries.readTail(db, head.buildId)
  return tail
    .toString('utf8')
    .split('\n')
    .filter((line) => line.startsWith(start)).length
}

/** Never earlier than before: a clock that was set back must not bring lines again. */
function latestOf(head: queries.LogHead, fresh: readonly PodLine[]): string | undefined {
  const known = head.lastPodTime === undefined ? undefined : parseStamp(head.lastPodTime)
  const latest = fresh.reduce<Stamp | undefined>(
    (best, { at }) => (at !== undefined && (best === undefined || at > best) ? at : best),
    known,
  )
  return latest === undefined ? undefined : stampText(latest)
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
