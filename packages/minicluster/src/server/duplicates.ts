/*
 * Fields that stand twice in a body. `JSON.parse` takes the last and says nothing; the real server does the same and says so, as
 * an error or a warning. The text has been parsed before, so it is taken to be well formed.
 */
import { isMap, isPair, isScalar, LineCounter, parseDocument, visit } from 'yaml'

import type { KeyVisit } from '../registry/incoming.ts'

const REPORTED_MAX = 100
const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const COMMA = 0x2c
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d

/** An object or a list that is open at some place of the text. */
type Frame = { readonly keys: Set<string> | undefined; name: string; index: number }

type Seen = { readonly offset: number; readonly isDuplicate: boolean; readonly frames: readonly Frame[] }

function eachKey(text: string, see: (seen: Seen) => void): void {
  const frames: Frame[] = []
  let top: Frame | undefined
  for (let offset = 0; offset < text.length; offset += 1) {
    const code = text.charCodeAt(offset)
    if (code === QUOTE) {
      const end = endOfString(text, offset)
      if (top?.keys && nextCode(text, end) === COLON) {
        const name = stringAt(text, offset, end)
        top.name = name
        see({ offset, isDuplicate: top.keys.has(name), frames })
        top.keys.add(name)
      }
      offset = end - 1
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      top = { keys: code === OPEN_OBJECT ? new Set() : undefined, name: '', index: 0 }
      frames.push(top)
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      frames.pop()
      top = frames.at(-1)
    } else if (code === COMMA && top && !top.keys) top.index += 1
  }
}

/** Where the text goes on after the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; at += 1) {
    const code = text.charCodeAt(at)
    if (code === BACKSLASH) at += 1
    else if (code === QUOTE || at >= text.length) return at + 1
  }
}

function nextCode(text: string, from: number): number {
  let at = from
  while (/\s/.test(text.charAt(at))) at += 1
  return text.charCodeAt(at)
}

function stringAt(text: string, start: number, end: number): string {
  const inner = text.slice(start + 1, end - 1)
  return inner.includes('\\') ? String(JSON.parse(text.slice(start, end))) : inner
}

function pathOf(frames: readonly Frame[]): string {
  return frames.reduce((path, { keys, name, index }) => {
    if (!keys) return `${path}[${index}]`
    return path === '' ? name : `${path}.${name}`
  }, '')
}

function hasDuplicates(text: string): boolean {
  let found = false
  eachKey(text, ({ isDuplicate }) => (found ||= isDuplicate))
  return found
}

/** Every key in the order of the text, when one of them stands there twice; else undefined. */
export function keysWithDuplicates(text: string): readonly KeyVisit[] | undefined {
  if (!hasDuplicates(text)) return undefined
  const visits: KeyVisit[] = []
  eachKey(text, ({ frames, isDuplicate }) => void visits.push({ path: pathOf(frames), isDuplicate }))
  return visits
}

/** Keys that stand twice in a map, as a YAML decoder tells them: by line. At most 100. */
export function duplicateLines(text: string): readonly string[] {
  return text.trimStart().startsWith('{') ? linesInJson(text) : linesInYaml(text)
}

function lineText(line: number, key: string): string {
  return `line ${line}: key ${JSON.stringify(key)} already set in map`
}

function linesInJson(text: string): readonly string[] {
  const lines: string[] = []
  eachKey(text, ({ offset, isDuplicate, frames }) => {
    if (!isDuplicate || lines.length >= REPORTED_MAX) return
    lines.push(lineText(text.slice(0, offset).split('\n').length, frames.at(-1)?.name ?? ''))
  })
  return lines
}

function linesInYaml(text: string): readonly string[] {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { schema: 'core', uniqueKeys: false, merge: false, lineCounter })
  const lines: string[] = []
  visit(document, {
    Map(_, map) {
      if (!isMap(map)) return
      const seen = new Set<unknown>()
      for (const pair of map.items) {
        const key = isPair(pair) && isScalar(pair.key) ? pair.key : undefined
        if (!key) continue
        if (seen.has(key.value) && lines.length < REPORTED_MAX)
          lines.push(lineText(lineCounter.linePos(key.range?.[0] ?? 0).line, String(key.value)))
        seen.add(key.value)
      }
    },
  })
  return lines
}
