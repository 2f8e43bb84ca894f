import { defineErrors } from './errors.ts'

/** Any value that JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

export const jsonErrors = defineErrors({ json_invalid: { status: 400 }, json_too_deep: { status: 400 } })

const DEPTH_MAX = 64
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * Parses JSON from outside: at most `depthMax` levels, no key that could reach a prototype.
 * The depth is counted before parsing, so that a deep body costs a scan and no stack.
 * @throws {AppError} `json_invalid`, `json_too_deep`
 */
export function parseJson(text: string, depthMax = DEPTH_MAX): unknown {
  if (depthOf(text) > depthMax) throw jsonErrors.json_too_deep({ max: depthMax })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw jsonErrors.json_invalid({}, { cause })
  }
  if (/"(?:__proto__|constructor|prototype|[^"]*\\u)/.test(text)) refuseForbiddenKeys(value)
  return value
}

function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (inString) {
      if (code === 0x5c) index += 1
      else if (code === 0x22) inString = false
    } else if (code === 0x22) inString = true
    else if (code === 0x7b || code === 0x5b) deepest = Math.max(deepest, (depth += 1))
    else if (code === 0x7d || code === 0x5d) depth -= 1
  }
  return deepest
}

function refuseForbiddenKeys(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const [key, child] of Object.entries(value)) {
    if (FORBIDDEN_KEYS.has(key)) throw jsonErrors.json_invalid()
    refuseForbiddenKeys(child)
  }
}

/** True for objects that are neither null nor arrays. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** JSON with keys in byte order: equal values give equal text, whatever order they were built in. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isRecord(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  )
}
