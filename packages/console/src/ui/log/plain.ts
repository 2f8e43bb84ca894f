/** Longest piece of a line that is shown; the download has all of it. */
const SHOWN_LENGTH_MAX = 4_000

// Colours and cursor movement (ECMA-48 control sequences), operating system commands, and single escapes.
// oxlint-disable-next-line no-control-regex
const ESCAPES = /\u001B\[[0-?]*[ -/]*[@-~]|\u001B\][^\u0007\u001B]*(?:\u0007|\u001B\\)|\u001B[@-_]/gu
// Everything that would move, hide or turn around text: control characters but the tab, and marks of direction.
const INVISIBLE = /[\p{Cc}\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu

/**
 * A line of a log as it can be shown: without colours, with control characters made visible, cut to a length. What follows a
 * carriage return replaces what stood before it, as in a terminal. Pure.
 */
export function plainLine(text: string): string {
  const bare = text.replaceAll(ESCAPES, '').replace(/\r$/u, '')
  const last = bare.slice(bare.lastIndexOf('\r') + 1)
  const shown = last.length > SHOWN_LENGTH_MAX ? `${last.slice(0, SHOWN_LENGTH_MAX)}…` : last
  return shown.replaceAll(INVISIBLE, (mark) => (mark === '\t' ? mark : '␦'))
}
