/** The CRI log line: `<RFC 3339 with nanoseconds> <stdout|stderr> <P|F> <text>\n`; P parts are joined with the F that follows. */

export type StreamName = 'stdout' | 'stderr'

/** Longer lines are kept in parts of this size. */
export const LINE_PART_BYTES = 16 * 1024

const NEWLINE = 0x0a
const SPACE = 0x20
const PREFIX_BYTES = 40

/** Makes times that grow with every line, also within one millisecond. */
export function createStamp(now: () => Date): () => string {
  let lastMs = -1
  let count = 0
  let text = ''
  return () => {
    const ms = Math.max(now().getTime(), lastMs)
    if (ms === lastMs && count < 999_999) count += 1
    else {
      count = 0
      lastMs = ms
      text = new Date(ms).toISOString().slice(0, -1)
    }
    return `${text}${String(count).padStart(6, '0')}Z`
  }
}

export type Formatted = { readonly lines: Buffer; readonly consumedBytes: number }

/**
 * Turns raw output into CRI lines. What follows the last newline stays unconsumed until it is longer than one part; with `final`
 * it becomes a line too.
 */
export function formatOutput(
  raw: Buffer,
  stream: StreamName,
  stamp: () => string,
  final: boolean,
): Formatted {
  const pieces: { readonly from: number; readonly to: number; readonly tag: 'P' | 'F' }[] = []
  let position = 0
  while (position < raw.length) {
    const newline = raw.indexOf(NEWLINE, position)
    const end = newline === -1 ? raw.length : newline
    while (end - position > LINE_PART_BYTES) {
      pieces.push({ from: position, to: position + LINE_PART_BYTES, tag: 'P' })
      position += LINE_PART_BYTES
    }
    if (newline === -1 && !final) break
    pieces.push({ from: position, to: end, tag: 'F' })
    position = newline === -1 ? end : newline + 1
  }
  const sizeBytes = pieces.reduce((sum, piece) => sum + piece.to - piece.from + PREFIX_BYTES + 8, 0)
  const lines = Buffer.allocUnsafe(sizeBytes)
  let length = 0
  for (const piece of pieces) {
    length += lines.write(`${stamp()} ${stream} ${piece.tag} `, length, 'latin1')
    length += raw.copy(lines, length, piece.from, piece.to)
    lines[length] = NEWLINE
    length += 1
  }
  return { lines: lines.subarray(0, length), consumedBytes: position }
}

export type CriLine = {
  readonly time: string
  readonly stream: StreamName
  readonly full: boolean
  readonly text: Buffer
}

/** Parses one line without its newline; undefined when it has not the form. */
export function parseCriLine(line: Buffer): CriLine | undefined {
  const first = line.indexOf(SPACE)
  const second = line.indexOf(SPACE, first + 1)
  const third = line.indexOf(SPACE, second + 1)
  if (first <= 0 || second < 0 || third < 0) return undefined
  const stream = line.toString('latin1', first + 1, second)
  const tag = line.toString('latin1', second + 1, third)
  if (stream !== 'stdout' && stream !== 'stderr') return undefined
  return {
    time: line.toString('latin1', 0, first),
    stream,
    full: tag === 'F',
    text: line.subarray(third + 1),
  }
}
