/** Deeper than any object of Kubernetes, and shallow enough for every recursive function that gets to see one. */
const DEPTH_MAX = 128

const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * Parses the JSON of a reply. Unlike bodies from users, keys such as `constructor` are left alone: they may be the data of
 * a ConfigMap, and `JSON.parse` makes plain own properties of them.
 * @throws {SyntaxError} when it is no JSON, or nested more than 128 levels
 */
export function parseReply(bytes: Buffer): unknown {
  if (isTooDeep(bytes)) throw new SyntaxError(`the reply is nested more than ${DEPTH_MAX} levels`)
  return JSON.parse(bytes.toString('utf8'))
}

/** Counted before parsing, on bytes: a scan of a list of 12 MB takes some 20 ms and no stack. */
function isTooDeep(bytes: Buffer): boolean {
  let depth = 0
  let index = 0
  while (index < bytes.length) {
    const byte = bytes[index]
    if (byte === QUOTE) index = endOfString(bytes, index)
    else if (byte === 0x7b || byte === 0x5b) {
      depth += 1
      if (depth > DEPTH_MAX) return true
    } else if (byte === 0x7d || byte === 0x5d) depth -= 1
    index += 1
  }
  return false
}

/** Index of the quote that closes the string opened at `start`, or the end of the bytes. */
function endOfString(bytes: Buffer, start: number): number {
  let index = bytes.indexOf(QUOTE, start + 1)
  while (index >= 0 && isEscaped(bytes, index)) index = bytes.indexOf(QUOTE, index + 1)
  return index < 0 ? bytes.length : index
}

function isEscaped(bytes: Buffer, index: number): boolean {
  let count = 0
  while (bytes[index - 1 - count] === BACKSLASH) count += 1
  return count % 2 === 1
}
