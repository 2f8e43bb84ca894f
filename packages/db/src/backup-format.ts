import { createHash } from 'node:crypto'

import { defineErrors, isRecord, parseJson } from '@slipway/kit'

/*
 * A backup is gzip over this, lines ending in \n:
 *
 *   {"format":"slipway-backup","formatVersion":1,"createdAt":…,"version":…,"migrations":[{"id","name","checksum"},…]}
 *   {"table":"project","columns":["id","name"]}      then frames: <bytes in decimal>\n<bytes>, ended by 0\n
 *   …                                                 the bytes are COPY text format
 *   {"sequence":"counter_id_seq","value":"42","isCalled":true}
 *   {"end":true,"tables":12,"sha256":<of every byte before this line>}
 *
 * The last line is what makes a backup whole: without it, or with another checksum, nothing is restored.
 */
const FORMAT_VERSION = 1
const FRAME_BYTES_MAX = 64 * 1024
const LINE_BYTES_MAX = 4 * 1024 * 1024

export const backupErrors = defineErrors({
  /** Cut short, changed, or no backup at all. */
  backup_invalid: { status: 400 },
  /** Made by a newer version: `version` is the one that can restore it. */
  backup_newer: { status: 409 },
  /** Restoring needs a database in which nothing was made yet. */
  restore_target_not_empty: { status: 409 },
})

export type BackupHeader = {
  readonly createdAt: string
  readonly version: string
  readonly migrations: readonly { readonly id: number; readonly name: string; readonly checksum: string }[]
}

export type BackupEntry =
  | { readonly kind: 'table'; readonly table: string; readonly columns: readonly string[] }
  | {
      readonly kind: 'sequence'
      readonly sequence: string
      readonly value: string
      readonly isCalled: boolean
    }
  | { readonly kind: 'end'; readonly tables: number }

/** Turns entries into the bytes of the format, checksum included. */
export function backupWriter(): {
  readonly header: (header: BackupHeader) => Buffer
  readonly entry: (entry: BackupEntry) => Buffer
  readonly rows: (bytes: Buffer) => Buffer[]
  readonly endOfRows: () => Buffer
} {
  const hash = createHash('sha256')
  const counted = (bytes: Buffer): Buffer => {
    hash.update(bytes)
    return bytes
  }
  const line = (value: unknown): Buffer => counted(Buffer.from(`${JSON.stringify(value)}\n`, 'utf8'))
  return {
    header: (header) => line({ format: 'slipway-backup', formatVersion: FORMAT_VERSION, ...header }),
    entry(entry) {
      if (entry.kind === 'table') return line({ table: entry.table, columns: entry.columns })
      if (entry.kind === 'sequence')
        return line({ sequence: entry.sequence, value: entry.value, isCalled: entry.isCalled })
      return line({ end: true, tables: entry.tables, sha256: hash.copy().digest('hex') })
    },
    rows(bytes) {
      const frames: Buffer[] = []
      for (let start = 0; start < bytes.length; start += FRAME_BYTES_MAX) {
        const frame = bytes.subarray(start, start + FRAME_BYTES_MAX)
        frames.push(counted(Buffer.concat([Buffer.from(`${frame.length}\n`), frame])))
      }
      return frames
    },
    endOfRows: () => counted(Buffer.from('0\n')),
  }
}

export type BackupReader = {
  readonly header: () => Promise<BackupHeader>
  /** The next entry; after a table its rows must be read to the end. The end is returned only when the checksum fits. */
  readonly entry: () => Promise<BackupEntry>
  readonly rows: () => AsyncGenerator<Buffer, void, undefined>
}

/**
 * Reads the format strictly.
 * @throws {AppError} `backup_invalid`, `backup_newer`
 */
export function backupReader(source: AsyncIterable<Buffer>): BackupReader {
  const bytes = byteReader(source)
  const hash = createHash('sha256')

  async function line(): Promise<Record<string, unknown>> {
    const text = await bytes.until(0x0a, LINE_BYTES_MAX)
    const value = parseLine(text)
    if (value['end'] !== true) hash.update(text).update('\n')
    return value
  }

  return {
    async header() {
      return headerOf(await line())
    },
    async entry() {
      const entry = entryOf(await line(), () => hash.copy().digest('hex'))
      if (entry.kind === 'end' && !(await bytes.isAtEnd())) throw invalid('more after the end')
      return entry
    },
    async *rows() {
      for (;;) {
        const text = await bytes.until(0x0a, 16)
        hash.update(text).update('\n')
        const length = Number(text.toString('latin1'))
        if (!Number.isSafeInteger(length) || length < 0 || length > FRAME_BYTES_MAX) throw invalid('frame')
        if (length === 0) return
        const frame = await bytes.exactly(length)
        hash.update(frame)
        yield frame
      }
    },
  }
}

function invalid(reason: string, cause?: unknown): Error {
  return backupErrors.backup_invalid({ reason }, cause === undefined ? {} : { cause })
}

function parseLine(text: Buffer): Record<string, unknown> {
  let value: unknown
  try {
    value = parseJson(text.toString('utf8'))
  } catch (cause) {
    throw invalid('line', cause)
  }
  if (!isRecord(value)) throw invalid('line')
  return value
}

function headerOf(value: Record<string, unknown>): BackupHeader {
  const { format, formatVersion, createdAt, version, migrations } = value
  if (format !== 'slipway-backup' || typeof version !== 'string') throw invalid('header')
  if (formatVersion !== FORMAT_VERSION) throw backupErrors.backup_newer({ version })
  if (typeof createdAt !== 'string' || !Array.isArray(migrations)) throw invalid('header')
  return {
    createdAt,
    version,
    migrations: (migrations as unknown[]).map((migration) => {
      if (!isRecord(migration)) throw invalid('header')
      const { id, name, checksum } = migration
      if (typeof id !== 'number' || typeof name !== 'string' || typeof checksum !== 'string')
        throw invalid('header')
      return { id, name, checksum }
    }),
  }
}

function entryOf(value: Record<string, unknown>, checksum: () => string): BackupEntry {
  const { table, columns, sequence, isCalled, tables } = value
  if (typeof table === 'string' && Array.isArray(columns)) {
    const names = (columns as unknown[]).filter((column) => typeof column === 'string')
    if (names.length !== columns.length) throw invalid('table')
    return { kind: 'table', table, columns: names }
  }
  if (typeof sequence === 'string' && typeof value['value'] === 'string' && typeof isCalled === 'boolean')
    return { kind: 'sequence', sequence, value: value['value'], isCalled }
  if (value['end'] === true && typeof tables === 'number') {
    if (value['sha256'] !== checksum()) throw invalid('checksum')
    return { kind: 'end', tables }
  }
  throw invalid('entry')
}

type ByteReader = {
  readonly until: (byte: number, bytesMax: number) => Promise<Buffer>
  readonly exactly: (length: number) => Promise<Buffer>
  readonly isAtEnd: () => Promise<boolean>
}

/** Pulls lines and pieces out of a stream of chunks, with bounded memory. */
function byteReader(source: AsyncIterable<Buffer>): ByteReader {
  const chunks = source[Symbol.asyncIterator]()
  let rest: Buffer = Buffer.alloc(0)

  async function more(): Promise<boolean> {
    const next = await chunks.next().catch((cause: unknown) => {
      throw invalid('unreadable', cause)
    })
    if (next.done === true) return false
    rest = rest.length === 0 ? next.value : Buffer.concat([rest, next.value])
    return true
  }
  function take(length: number): Buffer {
    const taken = rest.subarray(0, length)
    rest = rest.subarray(length)
    return taken
  }
  return {
    async until(byte, bytesMax) {
      for (;;) {
        const index = rest.indexOf(byte)
        if (index > bytesMax || (index < 0 && rest.length > bytesMax)) throw invalid('line too long')
        if (index >= 0) {
          const line = take(index)
          take(1)
          return line
        }
        if (!(await more())) throw invalid('cut short')
      }
    },
    async exactly(length) {
      while (rest.length < length) if (!(await more())) throw invalid('cut short')
      return take(length)
    },
    async isAtEnd() {
      return rest.length === 0 && !(await more())
    },
  }
}
