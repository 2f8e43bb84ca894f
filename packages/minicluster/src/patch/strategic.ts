/*
 * Strategic merge patch: a merge patch that knows the type. Lists with a merge key are merged item by item, others replaced;
 * directives in the patch ($patch, $retainKeys, $setElementOrder/…, $deleteFromPrimitiveList/…) say what merging alone cannot.
 * Source: "Strategic merge patch" in the Kubernetes community's API conventions.
 */
import { isRecord } from '@slipway/kit'

import { StatusError, statusErrors } from '../errors.ts'
import type { JsonObject } from '../schema/json.ts'
import { listOf, without } from '../schema/json.ts'
import type { Field, Structure } from '../schema/types.ts'
import { isCustom, structureIn, structureOf } from '../schema/types.ts'

const PATCH = '$patch'
const RETAIN_KEYS = '$retainKeys'
const ELEMENT_ORDER = '$setElementOrder/'
const DELETE_FROM_LIST = '$deleteFromPrimitiveList/'

/**
 * Applies a strategic merge patch and returns the new object; `target` is left as it is.
 * @throws {StatusError} 400 for a malformed patch, 415 for kinds that have no strategy (custom resources).
 */
export function strategicMergePatch(
  target: JsonObject,
  patch: unknown,
  apiVersion: string,
  kind: string,
): JsonObject {
  const structure = structureOf(apiVersion, kind)
  if (!structure || isCustom(apiVersion)) {
    const accepted = [
      'application/json-patch+json',
      'application/merge-patch+json',
      'application/apply-patch+yaml',
    ]
    throw new StatusError(
      415,
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
    )
  }
  if (!isRecord(patch)) throw statusErrors.badRequest('a strategic merge patch must be an object')
  return mergeObject(target, patch, structure)
}

function mergeObject(original: JsonObject, patch: JsonObject, structure: Structure | undefined): JsonObject {
  const directive = patch[PATCH]
  if (directive === 'delete') return {}
  if (directive === 'replace') return mergeObject({}, without(patch, PATCH), structure)
  if (directive !== undefined && directive !== 'merge')
    throw malformed(`unknown patch type found: ${text(directive)}`)
  const result: Record<string, unknown> = { ...retained(original, patch) }
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue
    const merged = mergeField(result[key], value, structure?.fields.get(key))
    if (merged === undefined) delete result[key]
    else result[key] = merged
  }
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith(DELETE_FROM_LIST)) deleteFromList(result, key.slice(DELETE_FROM_LIST.length), value)
  }
  for (const [key, value] of Object.entries(patch)) {
    const name = key.startsWith(ELEMENT_ORDER) ? key.slice(ELEMENT_ORDER.length) : undefined
    if (name === undefined || !Array.isArray(result[name])) continue
    const mergeKey = structure?.fields.get(name)?.patchMergeKey
    const order = readOrder(value)
    requireSameOrder(listOf(patch[name]), order, mergeKey)
    result[name] = inOrder(result[name], listOf(original[name]), order, mergeKey)
  }
  return result
}

/** With $retainKeys only the named fields of the original stay. */
function retained(original: JsonObject, patch: JsonObject): JsonObject {
  const keys = patch[RETAIN_KEYS]
  if (keys === undefined) return original
  if (!Array.isArray(keys)) throw malformed('invalid patch format of retainKeys')
  const names = new Set<unknown>(keys)
  if (Object.keys(patch).some((key) => !key.startsWith('$') && patch[key] !== null && !names.has(key))) {
    throw malformed('invalid patch format of retainKeys')
  }
  return Object.fromEntries(Object.entries(original).filter(([key]) => names.has(key)))
}

/** The new value of a field; undefined removes it. */
function mergeField(original: unknown, value: unknown, field: Field | undefined): unknown {
  if (value === null) return undefined
  const strategies = field?.patchStrategy?.split(',') ?? []
  if (Array.isArray(value)) {
    if (!strategies.includes('merge')) return value
    return mergeList(listOf(original), value, field)
  }
  if (!isRecord(value)) return value
  const base = isRecord(original) && !strategies.includes('replace') ? original : {}
  return mergeObject(base, value, field?.shape === undefined ? structureIn(field) : undefined)
}

function mergeList(
  original: readonly unknown[],
  patch: readonly unknown[],
  field: Field | undefined,
): unknown[] {
  const mergeKey = field?.patchMergeKey
  if (mergeKey === undefined) {
    if (patch.some((item) => typeof item === 'object'))
      throw malformed('invalid patch format of primitive list')
    return inOrder([...new Set([...original, ...patch])], original, patch, undefined)
  }
  const items = patch.map((item) => {
    if (isRecord(item)) return item
    throw malformed(`expected an object with key ${mergeKey} in a list, got ${text(item)}`)
  })
  const replaces = items.some((item) => item[PATCH] === 'replace')
  const merged = new Map<unknown, unknown>()
  // Items of the original that share a key cannot be told apart; each stays under a key of its own.
  for (const item of replaces ? [] : original) {
    const key = isRecord(item) ? item[mergeKey] : undefined
    merged.set(key === undefined || merged.has(key) ? Symbol('item') : key, item)
  }
  const structure = structureIn(field)
  for (const item of items) mergeItem(merged, item, { mergeKey, structure })
  // Without a $setElementOrder the patch itself says in which order its items stand.
  return inOrder([...merged.values()], original, items, mergeKey)
}

function mergeItem(
  merged: Map<unknown, unknown>,
  item: JsonObject,
  { mergeKey, structure }: { readonly mergeKey: string; readonly structure: Structure | undefined },
): void {
  const key = item[mergeKey]
  const directive = item[PATCH]
  if (directive === 'replace' && Object.keys(item).length === 1) return
  if (key === undefined)
    throw malformed(`map: ${text(item)} does not contain declared merge key: ${mergeKey}`)
  if (directive === 'delete') {
    merged.delete(key)
    return
  }
  const known = merged.get(key)
  merged.set(key, mergeObject(isRecord(known) ? known : {}, item, structure))
}

function deleteFromList(result: Record<string, unknown>, name: string, values: unknown): void {
  if (!Array.isArray(values)) throw malformed('invalid patch format of primitive list')
  const list = result[name]
  if (Array.isArray(list)) result[name] = list.filter((item) => !values.includes(item))
}

function readOrder(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed('invalid patch format of setElementOrder list')
  return value
}

function keyIn(item: unknown, mergeKey: string | undefined): unknown {
  return mergeKey !== undefined && isRecord(item) ? item[mergeKey] : item
}

/** A patch that lists its items in one order and demands another is a mistake of the client. */
function requireSameOrder(
  items: readonly unknown[],
  order: readonly unknown[],
  mergeKey: string | undefined,
): void {
  const wanted = new Map(order.map((item, index) => [keyIn(item, mergeKey), index]))
  const kept = items.filter(
    (item) => !(isRecord(item) && (item[PATCH] === 'delete' || item[PATCH] === 'replace')),
  )
  const places = kept.map((item) => wanted.get(keyIn(item, mergeKey)) ?? -1)
  if (places.every((place, index) => place >= 0 && place > (places[index - 1] ?? -1))) return
  throw malformed(
    `The order in patch list:\n${text(kept)}\n doesn't match $setElementOrder list:\n${text(order)}\n`,
  )
}

/**
 * Items that the patch orders stand in that order; the others keep their place among them, as far as the original list
 * tells which of two comes first.
 */
function inOrder(
  merged: readonly unknown[],
  original: readonly unknown[],
  order: readonly unknown[],
  mergeKey: string | undefined,
): unknown[] {
  const keyOf = (item: unknown): unknown => keyIn(item, mergeKey)
  const wanted = new Map(order.map((item, index) => [keyOf(item), index]))
  const before = new Map(original.map((item, index) => [keyOf(item), index]))
  const ordered = merged
    .filter((item) => wanted.has(keyOf(item)))
    .toSorted((a, b) => (wanted.get(keyOf(a)) ?? 0) - (wanted.get(keyOf(b)) ?? 0))
  const others = merged
    .filter((item) => !wanted.has(keyOf(item)))
    .toSorted((a, b) => (before.get(keyOf(a)) ?? Infinity) - (before.get(keyOf(b)) ?? Infinity))
  const result: unknown[] = []
  let next = 0
  for (const item of ordered) {
    const place = before.get(keyOf(item)) ?? -Infinity
    while (next < others.length && (before.get(keyOf(others[next])) ?? Infinity) < place) {
      result.push(others[next])
      next += 1
    }
    result.push(item)
  }
  return [...result, ...others.slice(next)]
}

function text(value: unknown): string {
  return (JSON.stringify(value) ?? 'undefined').slice(0, 200)
}

function malformed(message: string): StatusError {
  return statusErrors.badRequest(message)
}
