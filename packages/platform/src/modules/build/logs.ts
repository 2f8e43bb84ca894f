import { Readable } from 'node:stream'

import type { Database } from '@slipway/db'
import { MIB, type Clock } from '@slipway/kit'
import type { Kube } from '@slipway/kube'

import type { Tables } from '../../tables.ts'
import * as queries from './log-queries.ts'

/*
 * Logs of builds: rows of whole lines, each line with its time in front, so every replica shows them. The pod's log is followed
 * with the Cluster's own times. How far it was copied is written with the lines, in one transaction: a follower that begins again
 * knows what is there already, and two replicas that follow at once, as after a change of leader, double nothing. A log is cut
 * at a size: the first part is kept, and a line says that there was more.
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

export type LogLine = { readonly at: string; readonly text: string; readonly endBytes: number }

const LOG_MAX_BYTES = 16 * MIB
const LINE_MAX_BYTES = 16 * 1024

export function buildLogs(database: Pick<Database<Tables>, 'transact'>, clock: Clock): BuildLogs {
  const following = new Map<string, Promise<void>>()

  /** What is new of a pod's lines; false when no more is taken. */
  async function append(buildId: string, lines: readonly string[]): Promise<boolean> {
    return database.transact('all', async (db) => {
      const head = await queries.lockLog(db, buildId)
      // Deleted with its Application: nobody will read it.
      if (!head || head.sizeBytes > LOG_MAX_BYTES) return false
      const fresh = lines.filter((line) => isNewer(line, head.lastPodTime))
      if (fresh.length === 0) return true
      const text = `${fresh.join('\n')}\n`
      const isCut = head.sizeBytes + Buffer.byteLength(text) > LOG_MAX_BYTES
      const last = isCut
        ? ownLine(`the log is longer than ${LOG_MAX_BYTES / MIB} MiB; the rest was left out`)
        : ''
      await queries.appendLog(db, head, {
        content: Buffer.from(text + last),
        lastPodTime: timeOf(fresh.at(-1) ?? '') ?? head.lastPodTime,
        now: clock.now(),
      })
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
    const sinceTime = last === undefined ? {} : { sinceTime: new Date(last) }
    const stream = await kube.logs(pod, { follow: true, timestamps: true, signal, ...sinceTime })
    let isOpen = true
    // Read to its end all the same: that is when the container ended.
    for await (const lines of linesOf(stream)) isOpen = isOpen && (await append(buildId, lines))
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
