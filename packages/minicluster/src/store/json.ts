import { statusErrors } from '../errors.ts'

const DEPTH_MAX = 64

/**
 * A copy as the wire would carry it: no undefined fields, dates as RFC 3339 text, nothing shared with the original.
 * @throws {StatusError} 400 for what JSON cannot carry, or more than 64 levels
 */
export function copyJson(value: unknown, depth = 0): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value !== 'object')
    throw statusErrors.badRequest(`a value of type ${typeof value} cannot be stored`)
  if (depth >= DEPTH_MAX)
    throw statusErrors.badRequest(`the object is nested deeper than ${DEPTH_MAX} levels`)
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z')
  if (Array.isArray(value))
    return value.map((item) => (item === undefined ? null : copyJson(item, depth + 1)))
  const copy: Record<string, unknown> = {}
  for (const key in value) {
    const inner = (value as Record<string, unknown>)[key]
    if (inner !== undefined && key !== '__proto__') copy[key] = copyJson(inner, depth + 1)
  }
  return copy
}

/** Freezes a JSON value and all below it; what is frozen already is taken as frozen to the bottom. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  if (Array.isArray(value)) for (const item of value) deepFreeze(item as unknown)
  else for (const key in value) deepFreeze(value[key])
  return value
}
