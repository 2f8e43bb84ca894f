/*
 * Custom resources (the Gateway API) as their definitions describe them: fields, defaults and limits. A real server keeps
 * them as JSON and knows nothing else of them.
 */
import { isRecord } from '@slipway/kit'

import data from '../generated/schema.json' with { type: 'json' }
import type { JsonObject } from './json.ts'

/** The part of an OpenAPI schema that the data file holds. */
export type CustomSchema = {
  readonly type?: string
  readonly properties?: { readonly [name: string]: CustomSchema }
  readonly items?: CustomSchema
  readonly additionalProperties?: CustomSchema
  readonly required?: readonly string[]
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly maxProperties?: number
  /** The items of the list are told apart by these keys. */
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
}

// The generator's output has exactly this form; the compiler sees a union of every literal type in the file.
const schemas = data.custom as unknown as { readonly [kind: string]: CustomSchema }

/** The schema of `spec` and `status` of a Gateway API kind. */
export function customSchemaOf(kind: string): CustomSchema | undefined {
  return Object.hasOwn(schemas, kind) ? schemas[kind] : undefined
}

/** Drops unknown fields and nulls and fills in defaults; `apiVersion`, `kind` and `metadata` pass through. */
export function completeCustom(schema: CustomSchema, object: JsonObject): JsonObject {
  const { apiVersion, kind, metadata, ...rest } = object
  const identity = { apiVersion, kind, metadata }
  const present = Object.fromEntries(Object.entries(identity).filter(([, value]) => value !== undefined))
  const completed = complete(schema, rest)
  return isRecord(completed) ? { ...present, ...completed } : present
}

function complete(schema: CustomSchema, value: unknown): unknown {
  if (Array.isArray(value) && schema.items) {
    const { items } = schema
    return value.map((item: unknown) => complete(items, item))
  }
  if (!isRecord(value) || !schema.properties) return value
  const result: Record<string, unknown> = {}
  for (const [name, child] of Object.entries(value)) {
    const known = schema.properties[name]
    if (known && child !== null) result[name] = complete(known, child)
  }
  for (const [name, property] of Object.entries(schema.properties)) {
    if (property.default === undefined || result[name] !== undefined) continue
    result[name] = complete(property, property.default)
  }
  return result
}
