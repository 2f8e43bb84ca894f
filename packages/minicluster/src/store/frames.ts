import { crc32 } from 'node:zlib'

/*
 * The log and the snapshots are sequences of frames: 4 bytes length, 4 bytes CRC-32 (both big endian), then that many bytes
 * of JSON. A frame that is cut short or whose sum does not fit ends the readable part of a file.
 */
const HEADER_BYTES = 8
export const FRAME_MAX_BYTES = 16 * 1024 * 1024

/** One durable change: an object put, an object erased, or a mere advance of the version. */
export type Entry =
  | { readonly version: number; readonly resource: string; readonly put: Buffer }
  | { readonly version: number; readonly resource: string; readonly erased: readonly [string, string] }
  | { readonly version: number; readonly mark: string }

/** What a frame holds once it is read back. */
export type ReadEntry = {
  readonly version: number
  readonly resource?: string
  readonly object?: unknown
  readonly erased?: readonly [string, string]
  readonly mark?: string
}

/** The pieces of a frame; `put` bytes are taken over as they are. */
export function encodeFrame(entry: Entry): Buffer[] {
  if (!('put' in entry)) return withHeader([Buffer.from(JSON.stringify(entry))])
  const start = `{"version":${entry.version},"resource":${JSON.stringify(entry.resource)},"object":`
  return withHeader([Buffer.from(start), entry.put, Buffer.from('}')])
}

function withHeader(parts: Buffer[]): Buffer[] {
  const header = Buffer.allocUnsafe(HEADER_BYTES)
  let sum = 0
  let lengthBytes = 0
  for (const part of parts) {
    sum = crc32(part, sum)
    lengthBytes += part.length
  }
  header.writeUInt32BE(lengthBytes, 0)
  header.writeUInt32BE(sum, 4)
  return [header, ...parts]
}

/** `goodBytes` is where the first unreadable frame begins. */
export type ReadFrames = { readonly entries: ReadEntry[]; readonly goodBytes: number }

/** Reads frames from the start of `bytes` as far as they are whole. */
export function readFrames(bytes: Buffer): ReadFrames {
  const entries: ReadEntry[] = []
  let offset = 0
  while (offset + HEADER_BYTES <= bytes.length) {
    const lengthBytes = bytes.readUInt32BE(offset)
    const end = offset + HEADER_BYTES + lengthBytes
    // A length of 0 is what a hole in the file reads as, and its CRC-32 of 0 would fit.
    if (lengthBytes === 0 || lengthBytes > FRAME_MAX_BYTES || end > bytes.length) break
    const payload = bytes.subarray(offset + HEADER_BYTES, end)
    if (crc32(payload) !== bytes.readUInt32BE(offset + 4)) break
    entries.push(JSON.parse(payload.toString('utf8')) as ReadEntry)
    offset = end
  }
  return { entries, goodBytes: offset }
}
