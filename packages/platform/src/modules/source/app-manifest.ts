import { AppManifest, YAML_LIMIT_BYTES } from '@slipway/contract'
import { parseDocument, visit } from 'yaml'

import { sourceErrors } from './errors.ts'

const DEPTH_MAX = 64
const ALIASES_MAX = 100
const forbidden: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * Reads `slipway.yaml` as YAML 1.2 under limits on bytes, depth and aliases; one document.
 * @throws {AppError} `app_manifest_invalid`, naming the place and the problem
 */
export function parseAppManifest(text: string): AppManifest {
  if (Buffer.byteLength(text) > YAML_LIMIT_BYTES) throw wrong(`it is larger than ${YAML_LIMIT_BYTES} bytes`)
  // Before the parser, whose stack a deep document would use up.
  if (roughDepth(text) > DEPTH_MAX) throw wrong(`it is nested deeper than ${DEPTH_MAX} levels`)
  const document = parseDocument(text, { version: '1.2', prettyErrors: true, uniqueKeys: true })
  const [error] = document.errors
  if (error) throw wrong(error.message.split('\n')[0]?.replace(/:$/u, '') ?? 'it is not YAML')
  visit(document, {
    Pair(_, pair) {
      const key = String(pair.key)
      if (forbidden.has(key)) throw wrong(`the key ${key} is not used`)
    },
  })
  const result = AppManifest.safeParse(valueOf(document) ?? {}, { reportInput: false })
  if (result.success) return result.data
  const problems = result.error.issues.slice(0, 5).map((issue) => {
    const path = issue.path.map(String).join('.')
    return path === '' ? issue.message : `${path}: ${issue.message}`
  })
  throw wrong(problems.join('; ').slice(0, 400))
}

function valueOf(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: ALIASES_MAX })
  } catch (cause) {
    throw sourceErrors.app_manifest_invalid({ problem: 'it uses aliases that multiply' }, { cause })
  }
}

function wrong(problem: string): Error {
  return sourceErrors.app_manifest_invalid({ problem })
}

/** An upper bound of the nesting: columns that stand open line by line, and flow brackets. */
function roughDepth(text: string): number {
  let brackets = 0
  let deepest = 0
  const columns: number[] = []
  for (const line of text.split('\n')) {
    const lead = /^(?: |- )*/u.exec(line)?.[0] ?? ''
    for (const column of columnsOf(lead)) {
      while ((columns.at(-1) ?? -1) >= column) columns.pop()
      columns.push(column)
    }
    deepest = Math.max(deepest, columns.length)
    for (const character of line) {
      if (character === '[' || character === '{')
        deepest = Math.max(deepest, columns.length + (brackets += 1))
      else if (character === ']' || character === '}') brackets -= 1
    }
  }
  return deepest
}

/** Where each list dash stands, and where the text begins. */
function columnsOf(lead: string): number[] {
  const dashes = [...lead.matchAll(/-/gu)].map(({ index }) => index)
  return [...dashes, lead.length]
}
