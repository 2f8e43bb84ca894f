/*
 * One 512-byte header block of a tar archive, as POSIX.1-1988 (ustar), POSIX.1-2001 (pax) and GNU tar write it.
 * Text is kept as bytes here: which encoding is allowed is for the reader to decide.
 */
export const BLOCK_BYTES = 512

type TarKind =
  | 'file'
  | 'folder'
  | 'symlink'
  | 'hardlink'
  | 'device'
  | 'fifo'
  | 'sparse'
  | 'paxNext'
  | 'paxGlobal'
  | 'longName'
  | 'longLink'
  | 'other'

export type TarHeader = {
  readonly name: Buffer
  readonly linkName: Buffer
  readonly kind: TarKind
  readonly mode: number
  readonly sizeBytes: number
  readonly mtimeSeconds: number
}

const KINDS: Readonly<Record<string, TarKind>> = {
  '\0': 'file',
  '0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'device',
  '4': 'device',
  '5': 'folder',
  '6': 'fifo',
  S: 'sparse',
  x: 'paxNext',
  g: 'paxGlobal',
  L: 'longName',
  K: 'longLink',
}

/** Undefined when a field cannot be read or the checksum is wrong. */
export function parseTarHeader(block: Buffer): TarHeader | undefined {
  const sizeBytes = numberAt(block, 124, 12)
  const mode = numberAt(block, 100, 8)
  const mtimeSeconds = numberAt(block, 136, 12)
  if (!checksumFits(block) || sizeBytes === undefined || mode === undefined || mtimeSeconds === undefined)
    return undefined
  const name = textAt(block, 0, 100)
  // GNU's own format uses the room of the prefix for other things.
  const isPosix = block.toString('latin1', 257, 263) === 'ustar\0'
  const prefix = isPosix ? textAt(block, 345, 155) : Buffer.alloc(0)
  const kind = KINDS[String.fromCharCode(block[156] ?? 0)] ?? 'other'
  const whole = prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name])
  return {
    name: whole,
    linkName: textAt(block, 157, 100),
    // Before POSIX a folder was a file whose name ends in a slash.
    kind: kind === 'file' && whole.at(-1) === 0x2f ? 'folder' : kind,
    mode,
    sizeBytes,
    mtimeSeconds,
  }
}

function textAt(block: Buffer, start: number, length: number): Buffer {
  const field = block.subarray(start, start + length)
  const end = field.indexOf(0)
  return end < 0 ? field : field.subarray(0, end)
}

/** Octal text, or base 256 when the first bit is set (GNU, for what octal cannot hold). */
function numberAt(block: Buffer, start: number, length: number): number | undefined {
  const first = block[start] ?? 0
  if (first === 0x80) {
    let value = 0
    for (const byte of block.subarray(start + 1, start + length)) value = value * 256 + byte
    return Number.isSafeInteger(value) ? value : undefined
  }
  const text = block
    .toString('latin1', start, start + length)
    .replace(/\0.*$/s, '')
    .trim()
  if (text === '') return 0
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined
}

function checksumFits(block: Buffer): boolean {
  const stored = numberAt(block, 148, 8)
  let unsigned = 0
  let signed = 0
  for (let index = 0; index < BLOCK_BYTES; index += 1) {
    const byte = index >= 148 && index < 156 ? 0x20 : (block[index] ?? 0)
    unsigned += byte
    signed += byte > 127 ? byte - 256 : byte
  }
  // Some old programs summed signed characters.
  return stored === unsigned || stored === signed
}

/** Reads pax records `<length> <key>=<value>\n`; undefined when they are not well formed. Values stay bytes. */
export function parsePaxRecords(bytes: Buffer): ReadonlyMap<string, Buffer> | undefined {
  const records = new Map<string, Buffer>()
  let start = 0
  while (start < bytes.length) {
    const space = bytes.indexOf(0x20, start)
    if (space < 0 || space - start > 8) return undefined
    const digits = bytes.toString('latin1', start, space)
    const end = start + Number(digits)
    const equals = bytes.indexOf(0x3d, space)
    if (!/^[1-9][0-9]*$/.test(digits) || end > bytes.length || bytes[end - 1] !== 0x0a) return undefined
    if (equals < 0 || equals >= end) return undefined
    records.set(bytes.toString('latin1', space + 1, equals), bytes.subarray(equals + 1, end - 1))
    start = end
  }
  return records
}
