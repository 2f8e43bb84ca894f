import { createGunzip, createZstdDecompress } from 'node:zlib'
import { Readable } from 'node:stream'

import { errorOf, unreachable } from '@slipway/kit'

import type { ByteStream } from '../streams.ts'
import { byteReaderOf, type ByteReader } from './byte-reader.ts'
import { BLOCK_BYTES, parsePaxRecords, parseTarHeader, type TarHeader } from './header.ts'

/*
 * Reader for archives from strangers. It pulls: an entry's bytes are read only when the caller asks, nothing is kept,
 * and every length that the archive announces is checked before anything of that length is made.
 * What two tar programs could read differently is refused rather than guessed: text that is not UTF-8, sparse files,
 * sizes that contradict, a missing end mark.
 */
export type TarEntry = {
  /** As the archive spells it, decoded. */
  readonly name: string
  readonly kind: 'file' | 'folder' | 'symlink' | 'hardlink' | 'device' | 'fifo' | 'other'
  readonly mode: number
  readonly sizeBytes: number
  readonly mtimeSeconds: number
  /** Target of a symlink or hardlink; empty otherwise. */
  readonly linkName: string
  /** To be read before the next entry is asked for; what is left is skipped. */
  readonly content: ByteStream
}

export type TarLimits = {
  readonly entriesMax: number
  /** Bytes of the unpacked archive, headers included. */
  readonly totalMaxBytes: number
  /** Makes the error for an archive that is refused. */
  readonly refuse: (reason: string, entry?: string) => Error
  /** Makes the error for an archive that exceeds a limit. */
  readonly tooLarge: (reason: string) => Error
}

const EXTENSION_MAX_BYTES = 64 * 1024
const TRAILER_MAX_BYTES = 1024 * 1024

/** Ends normally only at a proper end mark. The source is read to its end, so that a hash around it covers everything. */
export async function* readTar(source: ByteStream, limits: TarLimits): AsyncGenerator<TarEntry> {
  const reader = byteReaderOf(countedStream(source, limits))
  try {
    yield* entriesOf(reader, limits)
    await readTrailer(reader, limits)
  } finally {
    await reader.close()
  }
}

async function* countedStream(source: ByteStream, limits: TarLimits): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0
  for await (const chunk of source) {
    sizeBytes += chunk.length
    if (sizeBytes > limits.totalMaxBytes)
      throw limits.tooLarge(`it unpacks to more than ${limits.totalMaxBytes} bytes`)
    yield chunk
  }
}

type Extension = {
  name?: Buffer
  linkName?: Buffer
  sizeBytes?: number
  mtimeSeconds?: number
}

async function* entriesOf(reader: ByteReader, limits: TarLimits): AsyncGenerator<TarEntry> {
  let extension: Extension = {}
  let count = 0
  for (;;) {
    const block = await reader.read(BLOCK_BYTES)
    if (block.length < BLOCK_BYTES) throw limits.refuse('it is cut short: the end mark is missing')
    if (block.every((byte) => byte === 0)) return
    const header = parseTarHeader(block)
    if (!header) throw limits.refuse('it is not a tar archive, or a header is damaged')
    count += 1
    if (count > limits.entriesMax) throw limits.tooLarge(`it has more than ${limits.entriesMax} entries`)
    if (isExtension(header)) {
      await readExtension(reader, header, extension, limits)
      continue
    }
    const entry = entryOf(header, extension, limits)
    extension = {}
    const body = contentOf(reader, entry.sizeBytes, limits, entry.name)
    yield { ...entry, content: body.content }
    await body.skip()
  }
}

function isExtension(header: TarHeader): boolean {
  return ['paxNext', 'paxGlobal', 'longName', 'longLink'].includes(header.kind)
}

async function readExtension(
  reader: ByteReader,
  header: TarHeader,
  extension: Extension,
  limits: TarLimits,
): Promise<void> {
  if (header.sizeBytes > EXTENSION_MAX_BYTES)
    throw limits.tooLarge(`it has an extended header of more than ${EXTENSION_MAX_BYTES} bytes`)
  const padded = Math.ceil(header.sizeBytes / BLOCK_BYTES) * BLOCK_BYTES
  const bytes = await reader.read(padded)
  if (bytes.length < padded) throw limits.refuse('it is cut short in an extended header')
  const content = bytes.subarray(0, header.sizeBytes)
  if (header.kind === 'longName') extension.name = untilNul(content)
  else if (header.kind === 'longLink') extension.linkName = untilNul(content)
  else applyPax(content, header.kind === 'paxGlobal', extension, limits)
}

function untilNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0)
  return end < 0 ? bytes : bytes.subarray(0, end)
}

function applyPax(content: Buffer, isGlobal: boolean, extension: Extension, limits: TarLimits): void {
  const records = parsePaxRecords(content)
  if (!records) throw limits.refuse('it has a malformed pax header')
  for (const [key, value] of records) {
    if (key.startsWith('GNU.sparse.')) throw limits.refuse('it holds a sparse file')
    const concernsEntry = ['path', 'linkpath', 'size'].includes(key)
    // git archive writes a global comment; a global name or size would change what every later entry means.
    if (isGlobal && concernsEntry) throw limits.refuse(`it sets ${key} for all entries`)
    if (key === 'path') extension.name = value
    else if (key === 'linkpath') extension.linkName = value
    else if (key === 'size') extension.sizeBytes = wholeNumber(value, limits)
    else if (key === 'mtime' && !isGlobal) extension.mtimeSeconds = secondsOf(value, limits)
  }
}

function wholeNumber(value: Buffer, limits: TarLimits): number {
  const text = value.toString('latin1')
  const number = Number(text)
  if (!/^[0-9]{1,16}$/.test(text) || !Number.isSafeInteger(number))
    throw limits.refuse('it has a pax size that is no number')
  return number
}

function secondsOf(value: Buffer, limits: TarLimits): number {
  const text = value.toString('latin1')
  if (!/^-?[0-9]{1,12}(?:\.[0-9]{1,12})?$/.test(text))
    throw limits.refuse('it has a pax time that is no number')
  return Math.floor(Number(text))
}

function entryOf(header: TarHeader, extension: Extension, limits: TarLimits): Omit<TarEntry, 'content'> {
  const name = decodeName(extension.name ?? header.name, limits)
  const linkName = decodeName(extension.linkName ?? header.linkName, limits)
  if (header.kind === 'sparse') throw limits.refuse('it holds a sparse file', name)
  const kind = entryKindOf(header.kind, name)
  const sizeBytes = extension.sizeBytes ?? header.sizeBytes
  // A link or folder that announces content is how one program's file hides another program's header.
  if (kind !== 'file' && kind !== 'other' && sizeBytes !== 0)
    throw limits.refuse('an entry without content announces a size', name)
  return {
    name,
    kind,
    mode: header.mode,
    sizeBytes,
    mtimeSeconds: extension.mtimeSeconds ?? header.mtimeSeconds,
    linkName: kind === 'symlink' || kind === 'hardlink' ? linkName : '',
  }
}

function entryKindOf(kind: TarHeader['kind'], name: string): TarEntry['kind'] {
  switch (kind) {
    case 'file':
      return name.endsWith('/') ? 'folder' : 'file'
    case 'folder':
    case 'symlink':
    case 'hardlink':
    case 'device':
    case 'fifo':
      return kind
    case 'sparse':
    case 'paxNext':
    case 'paxGlobal':
    case 'longName':
    case 'longLink':
    case 'other':
      return 'other'
    default:
      return unreachable(kind)
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeName(bytes: Buffer, limits: TarLimits): string {
  if (bytes.includes(0)) throw limits.refuse('a name holds a NUL byte', bytes.toString('latin1'))
  try {
    return utf8.decode(bytes)
  } catch {
    throw limits.refuse('a name is not UTF-8', bytes.toString('latin1'))
  }
}

function contentOf(reader: ByteReader, sizeBytes: number, limits: TarLimits, name: string) {
  const padded = Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES
  let left = sizeBytes
  let padding = padded - sizeBytes

  async function* content(): AsyncGenerator<Uint8Array> {
    while (left > 0) {
      const piece = await reader.readSome(left)
      if (piece === undefined) throw limits.refuse('it is cut short in a file', name)
      left -= piece.length
      yield piece
    }
  }

  async function skip(): Promise<void> {
    for await (const _ of content()) {
      // Only counted.
    }
    const skipped = await reader.read(padding)
    if (skipped.length < padding) throw limits.refuse('it is cut short after a file', name)
    padding = 0
  }

  return { content: content(), skip }
}

/** After the end mark only zeros may follow: anything else would be seen by a reader that goes on. */
async function readTrailer(reader: ByteReader, limits: TarLimits): Promise<void> {
  let sizeBytes = 0
  for (;;) {
    const piece = await reader.readSome(64 * 1024)
    if (piece === undefined) return
    sizeBytes += piece.length
    if (sizeBytes > TRAILER_MAX_BYTES || piece.some((byte) => byte !== 0))
      throw limits.refuse('something follows its end mark')
  }
}

type DetectedCompression = 'none' | 'gzip' | 'zstd'

const MAGIC: readonly (readonly [DetectedCompression | 'refused', readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['refused', [0x50, 0x4b, 0x03, 0x04]],
  ['refused', [0x42, 0x5a, 0x68]],
  ['refused', [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
]

/** Unpacks gzip or zstd by content, whatever the name or type says, and leaves a plain tar as it is. */
export async function* decompressedStream(
  source: ByteStream,
  refuse: (reason: string) => Error,
): AsyncGenerator<Uint8Array> {
  const reader = byteReaderOf(source)
  const head = await reader.read(8)
  const found = MAGIC.find(([, magic]) => magic.every((byte, index) => head[index] === byte))?.[0] ?? 'none'
  if (found === 'refused') {
    await reader.close()
    throw refuse('it is a zip, bzip2 or xz archive; send a tar, plain or as gzip or zstd')
  }
  const whole = rejoin(head, reader)
  if (found === 'none') yield* whole
  else yield* inflate(whole, found, refuse)
}

/** Unpacks a layer whose compression its media type tells. */
export async function* inflate(
  source: ByteStream,
  compression: 'gzip' | 'zstd',
  refuse: (reason: string) => Error,
): AsyncGenerator<Uint8Array> {
  let sourceError: unknown
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* source
    } catch (cause) {
      sourceError = cause
      throw cause
    }
  }
  const unpacker = compression === 'gzip' ? createGunzip() : createZstdDecompress()
  const input = Readable.from(watched(), { objectMode: false })
  input.once('error', (error) => unpacker.destroy(error))
  input.pipe(unpacker)
  try {
    for await (const chunk of unpacker) yield chunk as Uint8Array
  } catch (cause) {
    // The source's own refusal says more than "cut short".
    if (sourceError !== undefined) throw errorOf(sourceError)
    throw Object.assign(refuse(`its ${compression} data is damaged or cut short`), { cause })
  } finally {
    input.destroy()
    unpacker.destroy()
  }
}

async function* rejoin(head: Buffer, reader: ByteReader): AsyncGenerator<Uint8Array> {
  try {
    if (head.length > 0) yield head
    for (;;) {
      const piece = await reader.readSome(1024 * 1024)
      if (piece === undefined) return
      yield piece
    }
  } finally {
    await reader.close()
  }
}
