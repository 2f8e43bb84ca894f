/*
 * A line of a log as it can be shown without harm: colours become classes, everything else that a terminal would obey is
 * left out, and characters that would move, hide or turn around text are shown as what they are. Nothing of a line ever becomes
 * markup. Sequences are those of ECMA-48; colours of 256 and of 24 bits become the nearest of the 16 that the theme has.
 */

/** A piece of a line that looks the same throughout. */
export type Piece = {
  readonly text: string
  /** Names of looks: `c0` … `c15`, `b0` … `b15`, `bold`, `dim`, `italic`, `underline`, `strike`. */
  readonly looks: readonly string[]
  /** Stands for a character that cannot be shown. */
  readonly isMark: boolean
}

type Look = {
  readonly color: number | undefined
  readonly ground: number | undefined
  readonly flags: ReadonlySet<string>
  readonly isInverse: boolean
}

const plain: Look = { color: undefined, ground: undefined, flags: new Set(), isInverse: false }

// Control sequences, commands to the operating system and other strings, single escapes.
const ESCAPES =
  // oxlint-disable-next-line no-control-regex
  /(?:\u001B\[|\u009B)([0-?]*)[ -/]*([@-~])|\u001B[\]PX^_][^\u0007\u001B]*(?:\u0007|\u001B\\|$)|\u001B[ -/]*[0-~]/gu
/** Control characters but the tab, marks of direction, and what has no width. */
const INVISIBLE = /[\p{Cc}\u200B\u200E\u200F\u061C\u2028\u2029\u202A-\u202E\u2060-\u2069\uFEFF]/u
const EACH_INVISIBLE = new RegExp(INVISIBLE, 'gu')

/** What one reads of a line: what is searched, copied and downloaded. Pure. */
export function bareText(text: string): string {
  return text.includes('\u001B') || text.includes('\u009B') || text.includes('\r')
    ? lastRun(text.replaceAll(ESCAPES, ''))
    : text
}

/** What follows a carriage return replaces what stood before it, as in a terminal. */
function lastRun(text: string): string {
  const bare = text.endsWith('\r') ? text.slice(0, -1) : text
  return bare.slice(bare.lastIndexOf('\r') + 1)
}

/** The pieces of a line, in order. Pure. @param lengthMax - characters that are shown of a longer line */
export function piecesOf(text: string, lengthMax: number): readonly Piece[] {
  const pieces: Piece[] = []
  let look = plain
  let left = lengthMax
  const add = (run: string): void => {
    if (run === '' || left <= 0) return
    addRun(pieces, run.slice(0, left), looksOf(look))
    left -= run.length
  }
  const shown = afterReturn(text)
  let from = 0
  for (const match of shown.matchAll(ESCAPES)) {
    add(shown.slice(from, match.index))
    from = match.index + match[0].length
    if (match[2] === 'm') look = lookAfter(look, match[1] ?? '')
    if (left <= 0) break
  }
  add(shown.slice(from))
  return pieces
}

/** Colours that were set before a carriage return still hold behind it, so the escapes before it stay. */
function afterReturn(text: string): string {
  const bare = text.endsWith('\r') ? text.slice(0, -1) : text
  const at = bare.lastIndexOf('\r')
  if (at === -1) return bare
  return [...bare.slice(0, at).matchAll(ESCAPES)].map(([whole]) => whole).join('') + bare.slice(at + 1)
}

function addRun(pieces: Piece[], run: string, looks: readonly string[]): void {
  let from = 0
  for (const match of run.matchAll(EACH_INVISIBLE)) {
    if (match[0] === '\t') continue
    if (match.index > from) pieces.push({ text: run.slice(from, match.index), looks, isMark: false })
    pieces.push({ text: markOf(match[0]), looks, isMark: true })
    from = match.index + match[0].length
  }
  if (from < run.length) pieces.push({ text: run.slice(from), looks, isMark: false })
}

const PICTURES = 0x2400
const SPACE = 0x20

/** A picture of a control character where there is one, else its number. */
function markOf(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code < SPACE) return String.fromCodePoint(PICTURES + code)
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
}

function looksOf({ color, ground, flags, isInverse }: Look): readonly string[] {
  const front = isInverse ? (ground ?? 0) : color
  const back = isInverse ? (color ?? 7) : ground
  return [
    ...(front === undefined ? [] : [`c${front}`]),
    ...(back === undefined ? [] : [`b${back}`]),
    ...flags,
  ]
}

const FLAGS: Readonly<Record<number, string>> = {
  1: 'bold',
  2: 'dim',
  3: 'italic',
  4: 'underline',
  9: 'strike',
}
const ENDS: Readonly<Record<number, readonly string[]>> = {
  22: ['bold', 'dim'],
  23: ['italic'],
  24: ['underline'],
  29: ['strike'],
}

/** The look behind a "select graphic rendition" with these parameters. */
function lookAfter(before: Look, parameters: string): Look {
  const numbers = parameters.split(/[;:]/u).map((text) => (text === '' ? 0 : Number(text)))
  let look = before
  for (let at = 0; at < numbers.length; at += 1) {
    const code = numbers[at] ?? 0
    if (code === 38 || code === 48) {
      const { color, used } = longColor(numbers.slice(at + 1))
      look = code === 38 ? { ...look, color } : { ...look, ground: color }
      at += used
    } else look = lookWith(look, code)
  }
  return look
}

function lookWith(look: Look, code: number): Look {
  const flag = FLAGS[code]
  const ends = ENDS[code]
  if (code === 0) return plain
  if (flag !== undefined) return { ...look, flags: new Set([...look.flags, flag]) }
  if (ends) return { ...look, flags: new Set([...look.flags].filter((one) => !ends.includes(one))) }
  if (code === 7 || code === 27) return { ...look, isInverse: code === 7 }
  if (code === 39) return { ...look, color: undefined }
  if (code === 49) return { ...look, ground: undefined }
  if (code >= 30 && code <= 37) return { ...look, color: code - 30 }
  if (code >= 90 && code <= 97) return { ...look, color: code - 82 }
  if (code >= 40 && code <= 47) return { ...look, ground: code - 40 }
  if (code >= 100 && code <= 107) return { ...look, ground: code - 92 }
  return look
}

/** A colour given as `5;n` or `2;r;g;b`, as one of the 16, and how many numbers it took. */
function longColor([kind, ...rest]: readonly number[]): {
  readonly color: number | undefined
  readonly used: number
} {
  const [first = 0, second = 0, third = 0] = rest
  if (kind === 2) return { color: nearest(first, second, third), used: 4 }
  if (kind !== 5) return { color: undefined, used: 1 }
  if (first < 16) return { color: first, used: 2 }
  if (first >= 232) return { color: first < 244 ? 8 : 7, used: 2 }
  // A cube of six steps for each of red, green and blue.
  const cube = first - 16
  const step = (value: number): number => value * 51
  return {
    color: nearest(step(Math.floor(cube / 36)), step(Math.floor(cube / 6) % 6), step(cube % 6)),
    used: 2,
  }
}

const DARK = 64
const BRIGHT = 192
/** Parts of a colour below this share of its strongest one do not count. */
const SHARE = 0.5

function nearest(red: number, green: number, blue: number): number {
  const most = Math.max(red, green, blue)
  if (most < DARK) return 8
  const bit = (part: number): number => (part >= most * SHARE ? 1 : 0)
  return bit(red) + 2 * bit(green) + 4 * bit(blue) + (most > BRIGHT ? 8 : 0)
}
