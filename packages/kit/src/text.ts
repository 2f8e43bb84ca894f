const GAP = ' … '
const HEAD_SHARE = 1 / 3

/**
 * A text of at most `lengthMax` characters (10 or more): of a longer one the beginning, which says what was tried, and the end,
 * where programs that wrap errors in errors say why it failed.
 */
export function shorten(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text
  const head = Math.floor((lengthMax - GAP.length) * HEAD_SHARE)
  const tail = lengthMax - GAP.length - head
  return `${text.slice(0, head).trimEnd()}${GAP}${text.slice(text.length - tail).trimStart()}`
}
