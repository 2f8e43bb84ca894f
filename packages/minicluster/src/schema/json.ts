import { isRecord } from '@slipway/kit'

/** An object of the API as JSON: any fields, never changed in place. */
export type JsonObject = { readonly [field: string]: unknown }

/** The value when it is an object, else an empty one; for reading optional parts of objects of unknown shape. */
export function objectOf(value: unknown): JsonObject {
  return isRecord(value) ? value : {}
}

/** The value when it is a list, else an empty one. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** The value when it is text, else the empty text, which the API treats as absent. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** True when two JSON values are the same; the order of keys does not count. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => sameJson(item, b[index]))
  }
  if (!isRecord(a) || !isRecord(b)) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key]))
}

/** A copy of `object` without the named fields; the same object when it has none of them. */
export function without(object: JsonObject, ...fields: readonly string[]): JsonObject {
  if (!fields.some((field) => Object.hasOwn(object, field))) return object
  return Object.fromEntries(Object.entries(object).filter(([key]) => !fields.includes(key)))
}
