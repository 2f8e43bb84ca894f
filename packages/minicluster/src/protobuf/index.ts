/*
 * Bodies in protobuf, as kubectl create and every typed Go client send them: four magic bytes, runtime.Unknown with apiVersion
 * and kind, in it the message. The field numbers come from the generated schema; types with a form of their own (Quantity,
 * Time, …) are spelled out in `scalars.ts`. Source: "Kubernetes Protobuf encoding" in the Kubernetes API documentation.
 */
import { StatusError, statusErrors } from '../errors.ts'
import type { JsonObject } from '../schema/json.ts'
import { normalizeObject } from '../schema/normalize.ts'
import type { Field, Structure } from '../schema/types.ts'
import { structureNamed, structureOf } from '../schema/types.ts'
import type { Bytes } from './wire.ts'
import { LENGTH_DELIMITED, readEntries, readText } from './wire.ts'
import { readScalar, readScalars } from './scalars.ts'

const MAGIC = [0x6b, 0x38, 0x73, 0x00]
const SIZE_MAX_BYTES = 3 * 1024 * 1024
const DEPTH_MAX = 32

/**
 * The object that a Kubernetes protobuf body carries, with its apiVersion and kind.
 * @throws {StatusError} 400 when the bytes are no such body or its kind is not known, 413 above 3 MiB.
 */
export function decodeProtobuf(bytes: Uint8Array): JsonObject {
  if (bytes.length > SIZE_MAX_BYTES) {
    throw new StatusError(
      413,
      'RequestEntityTooLarge',
      `Request entity too large: limit is ${SIZE_MAX_BYTES}`,
    )
  }
  if (!MAGIC.every((byte, index) => bytes[index] === byte)) {
    throw statusErrors.badRequest(
      'the body does not start with the prefix of a Kubernetes protobuf message, "k8s\\0"',
    )
  }
  const { apiVersion, kind, raw } = guarded(() => readEnvelope(bytes.subarray(MAGIC.length)))
  const structure = structureOf(apiVersion, kind)
  if (!structure) {
    throw statusErrors.badRequest(
      `no kind ${JSON.stringify(kind.slice(0, 128))} is registered for version ${JSON.stringify(apiVersion.slice(0, 128))}`,
    )
  }
  const message: Record<string, unknown> = {}
  guarded(() => readMessage(structure, raw, message, 0))
  return normalizeObject({ ...message, apiVersion, kind })
}

function guarded<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof StatusError) throw cause
    throw statusErrors.badRequest(
      `the body is not a valid protobuf message: ${cause instanceof Error ? cause.message : String(cause)}`,
    )
  }
}

function readEnvelope(bytes: Bytes): {
  readonly apiVersion: string
  readonly kind: string
  readonly raw: Bytes
} {
  let apiVersion = ''
  let kind = ''
  let raw: Bytes = new Uint8Array()
  for (const { number, value } of readEntries(bytes)) {
    if (!(value instanceof Uint8Array)) continue
    if (number === 2) raw = value
    if (number === 3 && value.length > 0) throw new Error('a content encoding is not supported')
    if (number !== 1) continue
    for (const inner of readEntries(value)) {
      if (inner.number === 1) apiVersion = readText(inner.value)
      if (inner.number === 2) kind = readText(inner.value)
    }
  }
  return { apiVersion, kind, raw }
}

function readMessage(structure: Structure, bytes: Bytes, into: Record<string, unknown>, depth: number): void {
  if (depth > DEPTH_MAX) throw new Error(`more than ${DEPTH_MAX} levels`)
  for (const { number, wireType, value } of readEntries(bytes)) {
    const known = structure.numbered.get(number)
    const inlined = structure.inline.find((one) => one.number === number)
    if (known) readField(known, { wireType, value }, into, depth)
    else if (inlined && value instanceof Uint8Array) {
      const inner = structureNamed(inlined.type)
      if (inner) readMessage(inner, value, into, depth + 1)
    }
  }
}

type Entry = { readonly wireType: number; readonly value: Bytes | bigint }

function readField(
  [name, field]: readonly [name: string, field: Field],
  { wireType, value }: Entry,
  into: Record<string, unknown>,
  depth: number,
): void {
  if (field.shape === 'map') {
    const map = (into[name] ??= Object.create(null)) as Record<string, unknown>
    const [key, item] = readMapEntry(field, value, depth)
    map[key] = item
    return
  }
  if (field.shape !== 'list') {
    into[name] = readValue(field.type, value, depth)
    return
  }
  const list = (into[name] ??= []) as unknown[]
  if (wireType === LENGTH_DELIMITED && /^(?:int32|int64|bool)$/.test(field.type)) {
    for (const one of readScalars(field.type, value)) list.push(one)
  } else list.push(readValue(field.type, value, depth))
}

function readMapEntry(field: Field, value: Bytes | bigint, depth: number): readonly [string, unknown] {
  if (!(value instanceof Uint8Array)) throw new Error('a map entry must be a message')
  let key = ''
  let item: unknown
  for (const entry of readEntries(value)) {
    if (entry.number === 1) key = readText(entry.value)
    if (entry.number === 2) item = readValue(field.type, entry.value, depth)
  }
  return [key, item ?? readValue(field.type, new Uint8Array(), depth)]
}

function readValue(type: string, value: Bytes | bigint, depth: number): unknown {
  const structure = structureNamed(type)
  if (!structure) return readScalar(type, value)
  if (!(value instanceof Uint8Array)) throw new Error(`${type} must be a message`)
  const message: Record<string, unknown> = {}
  readMessage(structure, value, message, depth + 1)
  return message
}
