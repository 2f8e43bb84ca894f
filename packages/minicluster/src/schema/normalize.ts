/*
 * A built-in object of a real server is a Go value: unknown fields are gone, empty optional fields are absent, required ones
 * are there even when empty, quantities and times have one spelling. Everything that compares objects (no-op writes, apply,
 * `kubectl diff`) relies on that, so the same round trip is made here. Custom kinds are kept as JSON; only their metadata is
 * a Go value.
 */
import { isRecord } from '@slipway/kit'

import { statusErrors } from '../errors.ts'
import type { JsonObject } from './json.ts'
import { canonicalQuantity } from './quantity.ts'
import type { Field, Structure } from './types.ts'
import { isCustom, structureNamed, structureOf, typeOf } from './types.ts'

/** Fills in the defaults of one structure; called with the name of its type after its own fields are complete. */
export type Complete = (type: string, object: JsonObject) => JsonObject

type Place = {
  readonly owner: string
  readonly path: string
  readonly kind: string
  readonly version: string
  readonly complete: Complete
}

const METADATA = 'meta/v1.ObjectMeta'

/**
 * The object as a real server would hold it after decoding, with what `complete` adds. Kinds without a schema are returned
 * as they are.
 * @throws {StatusError} 400 when a value has the wrong type, in the words of the real decoder.
 */
export function normalizeObject(object: JsonObject, complete: Complete = asItIs): JsonObject {
  const { apiVersion, kind } = typeOf(object)
  const structure = structureOf(apiVersion, kind)
  if (!structure) return object
  const place = { owner: '', path: '', kind, version: apiVersion.split('/').at(-1) ?? '', complete }
  if (!isCustom(apiVersion)) return normalize(structure, object, place)
  const metadata = structureNamed(METADATA)
  if (!metadata || !isRecord(object['metadata'])) return object
  return { ...object, metadata: normalize(metadata, object['metadata'], { ...place, path: 'metadata' }) }
}

/** What the kind looks like when nothing is said about it. */
export function emptyObject(structure: Structure): JsonObject {
  return normalize(structure, {}, { owner: '', path: '', kind: '', version: '', complete: asItIs })
}

function asItIs(_type: string, object: JsonObject): JsonObject {
  return object
}

function normalize(structure: Structure, object: JsonObject, place: Place): JsonObject {
  const result: Record<string, unknown> = {}
  for (const name of Object.keys(object)) {
    const field = structure.fields.get(name)
    const value = object[name]
    if (!field || value === null || value === undefined) continue
    const at = below(place, structure, name)
    const normalized = normalizeField(field, value, at)
    if (field.kept === true || field.pointer === true || !isZero(normalized)) {
      result[name] = normalized
    }
  }
  addKept(structure, result, place)
  return place.complete(structure.name, result)
}

function addKept(structure: Structure, result: Record<string, unknown>, place: Place): void {
  for (const [name, field] of structure.fields) {
    if (field.kept !== true || field.pointer === true || result[name] !== undefined) continue
    const zero = zeroOf(field, below(place, structure, name))
    if (zero !== undefined) result[name] = zero
  }
}

function zeroOf(field: Field, place: Place): unknown {
  if (field.shape === 'list') return []
  if (field.shape === 'map') return {}
  const structure = structureNamed(field.type)
  if (structure) return normalize(structure, {}, place)
  if (field.type === 'string') return ''
  if (field.type === 'bool') return false
  return field.type === 'int32' || field.type === 'int64' ? 0 : undefined
}

function below(place: Place, structure: Structure, name: string): Place {
  const owner = structure.name.split('.').at(-1) ?? ''
  return { ...place, owner, path: place.path === '' ? name : `${place.path}.${name}` }
}

function isZero(value: unknown): boolean {
  if (value === '' || value === 0 || value === false) return true
  if (Array.isArray(value)) return value.length === 0
  return isRecord(value) && Object.keys(value).length === 0
}

function normalizeField(field: Field, value: unknown, place: Place): unknown {
  if (field.shape === 'list') {
    if (!Array.isArray(value)) throw mismatch(value, `[]${goType(field.type)}`, place)
    return value.map((item: unknown) => normalizeValue(field.type, item, place))
  }
  if (field.shape === 'map') {
    if (!isRecord(value)) throw mismatch(value, `map[string]${goType(field.type)}`, place)
    // A null in a map is the zero value of its type in Go.
    const entries = Object.entries(value).map(([key, item]) => [
      key,
      item === null && field.type === 'string' ? '' : normalizeValue(field.type, item, place),
    ])
    return Object.fromEntries(entries)
  }
  return normalizeValue(field.type, value, place)
}

function normalizeValue(type: string, value: unknown, place: Place): unknown {
  const structure = structureNamed(type)
  if (structure) {
    if (!isRecord(value)) throw mismatch(value, goType(type), place)
    return normalize(structure, value, place)
  }
  return normalizeScalar(type, value, place)
}

function normalizeScalar(type: string, value: unknown, place: Place): unknown {
  switch (type) {
    case 'string':
    case 'duration':
      if (typeof value !== 'string') throw mismatch(value, 'string', place)
      return value
    case 'bool':
      if (typeof value !== 'boolean') throw mismatch(value, 'bool', place)
      return value
    case 'int32':
    case 'int64':
      return integer(type, value, place)
    case 'quantity':
      return quantity(value, place)
    case 'intOrString':
      return typeof value === 'string' ? value : integer('int32', value, place)
    case 'time':
    case 'microTime':
      return time(type, value, place)
    case 'bytes':
      return base64(value, place)
    case 'stringList':
      if (!Array.isArray(value)) throw mismatch(value, '[]string', place)
      return value.map((item: unknown) => normalizeScalar('string', item, place))
    default:
      return value
  }
}

function integer(type: 'int32' | 'int64', value: unknown, place: Place): number {
  const limit = type === 'int32' ? 2 ** 31 : 2 ** 63
  if (typeof value !== 'number' || !Number.isInteger(value) || value < -limit || value >= limit) {
    throw mismatch(value, type, place)
  }
  return value
}

function quantity(value: unknown, place: Place): string {
  if (typeof value !== 'string' && typeof value !== 'number')
    throw mismatch(value, 'resource.Quantity', place)
  const canonical = canonicalQuantity(`${value}`.trim())
  if (canonical !== undefined) return canonical
  const pattern = `^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$`
  throw refuse(place, `quantities must match the regular expression '${pattern}'`)
}

const TIME =
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})$/

function time(type: 'time' | 'microTime', value: unknown, place: Place): string {
  if (typeof value !== 'string') throw mismatch(value, 'string', place)
  const parsed = TIME.test(value) ? new Date(value) : undefined
  if (!parsed || Number.isNaN(parsed.getTime())) {
    const layout = type === 'time' ? '2006-01-02T15:04:05Z07:00' : '2006-01-02T15:04:05.000000Z07:00'
    throw refuse(place, `parsing time ${JSON.stringify(value)} as "${layout}": cannot parse it`)
  }
  const seconds = parsed.toISOString().slice(0, 19)
  if (type === 'time') return `${seconds}Z`
  const fraction = /\.([0-9]+)/.exec(value)?.[1] ?? ''
  return `${seconds}.${fraction.padEnd(6, '0').slice(0, 6)}Z`
}

function base64(value: unknown, place: Place): string {
  if (typeof value !== 'string') throw mismatch(value, '[]uint8', place)
  const text = value.replaceAll(/[\r\n]/g, '')
  const wrong = /[^A-Za-z0-9+/=]|=[^=]/.exec(text)
  if (wrong || text.length % 4 !== 0 || /={3,}$/.test(text)) {
    throw refuse(place, `illegal base64 data at input byte ${wrong?.index ?? Math.max(0, text.length - 1)}`)
  }
  return text
}

function goType(type: string): string {
  const structure = structureNamed(type)
  if (!structure) return type === 'quantity' ? 'resource.Quantity' : type
  const dot = type.lastIndexOf('.')
  return `${type.slice(type.slice(0, dot).lastIndexOf('/') + 1, dot)}.${type.slice(dot + 1)}`
}

function mismatch(value: unknown, wanted: string, place: Place): Error {
  const found = Array.isArray(value)
    ? 'array'
    : isRecord(value)
      ? 'object'
      : typeof value === 'boolean'
        ? 'bool'
        : typeof value === 'number' && wanted.startsWith('int')
          ? `number ${value}`
          : typeof value
  return refuse(
    place,
    `json: cannot unmarshal ${found} into Go struct field ${place.owner}.${place.path} of type ${wanted}`,
  )
}

function refuse({ kind, version }: Place, why: string): Error {
  return statusErrors.badRequest(
    `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}`,
  )
}
