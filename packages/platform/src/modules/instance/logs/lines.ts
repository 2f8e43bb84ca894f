import type { Readable } from 'node:stream'

import { LOG_LINE_LIMIT_BYTES } from '@slipway/contract'

import { parseStamp, type Stamp } from '../../../stamp.ts'

export type StampedLine = { readonly at: Stamp; readonly text: string; readonly cut: boolean }

const NEWLINE = 0x0a
/** Room for the time before the text. */
const STAMP_MAX_BYTES = 64

/** The lines of a log that was asked for with timestamps. A line beyond the limit is cut; its rest is never held. */
export async function* stampedLines(bytes: Readable): AsyncGenerator<StampedLine> {
  const splitter = lineSplitter(LOG_LINE_LIMIT_BYTES + STAMP_MAX_BYTES)
  try {
    for await (const chunk of bytes)
      for (const line of splitter.feed(chunk as Buffer)) {
        const stamped = stampedOf(line)
        if (stamped) yield stamped
      }
    const last = splitter.end()
    const stamped = last && stampedOf(last)
    if (stamped) yield stamped
  } finally {
    bytes.destroy()
  }
}

type RawLine = { readonly bytes: Buffer; readonly cut: boolean }

/** Cuts bytes into lines of at most `maxBytes`, wherever its chunks begin and end. */
export function lineSplitter(maxBytes: number): {
  readonly feed: (chunk: Buffer) => readonly RawLine[]
  readonly end: () => RawLine | undefined
} {
  let held: Buffer[] = []
  let heldBytes = 0
  let cut = false

  function hold(part: Buffer): void {
    const room = maxBytes - heldBytes
    if (part.length > room) cut = true
    if (room <= 0 || part.length === 0) return
    held.push(part.subarray(0, room))
    heldBytes += Math.min(part.length, room)
  }
  function finish(): RawLine {
    const line = { bytes: held.length === 1 && held[0] ? held[0] : Buffer.concat(held), cut }
    held = []
    heldBytes = 0
    cut = false
    return line
  }
  return {
    feed(chunk) {
      const lines: RawLine[] = []
      let from = 0
      for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
        hold(chunk.subarray(from, at))
        lines.push(finish())
        from = at + 1
      }
      hold(chunk.subarray(from))
      return lines
    },
    end: () => (heldBytes > 0 ? finish() : undefined),
  }
}

/** Undefined for a line that begins with no time: what a node says in place of a log. */
function stampedOf({ bytes, cut }: RawLine): StampedLine | undefined {
  const space = bytes.subarray(0, STAMP_MAX_BYTES).indexOf(0x20)
  const at = space === -1 ? undefined : parseStamp(bytes.toString('latin1', 0, space))
  if (at === undefined) return undefined
  const text = bytes.subarray(space + 1)
  const isLong = text.length > LOG_LINE_LIMIT_BYTES
  return {
    at,
    text: wholeCharacters(isLong ? text.subarray(0, LOG_LINE_LIMIT_BYTES) : text, cut || isLong),
    cut: cut || isLong,
  }
}

/** A cut may fall into the middle of a character; such a piece is left out. */
function wholeCharacters(bytes: Buffer, cut: boolean): string {
  const text = bytes.toString('utf8').replace(/\r$/u, '')
  return cut ? text.replace(/\uFFFD{1,3}$/u, '') : text
}
