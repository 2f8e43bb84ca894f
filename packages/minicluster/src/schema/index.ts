import { isRecord } from '@slipway/kit'

import type { CustomSchema } from './custom.ts'
import { customSchemaOf } from './custom.ts'
import type { JsonObject } from './json.ts'
import type { Structure } from './types.ts'
import { isCustom, structureIn, structureOf } from './types.ts'

/** More messages than this help nobody; the real server has no limit, but its bodies are as bounded as ours. */
const MESSAGES_MAX = 100

/**
 * What strict decoding says about fields that the kind does not have, in the real server's words and order:
 * `unknown field "spec.foo"`. Empty for kinds without a schema. At most 100 messages.
 */
export function unknownFields(apiVersion: string, kind: string, object: JsonObject): string[] {
  const structure = structureOf(apiVersion, kind)
  if (!structure) return []
  const messages: string[] = []
  const schema = isCustom(apiVersion) ? customSchemaOf(kind) : undefined
  if (!schema) findUnknown(structure, object, '', messages)
  else {
    const { apiVersion: _apiVersion, kind: _kind, metadata, ...rest } = object
    findUnknown(structure, { metadata }, '', messages)
    findUnknownCustom(schema, rest, '', messages)
  }
  return messages
}

function findUnknownCustom(schema: CustomSchema, value: unknown, path: string, messages: string[]): void {
  if (Array.isArray(value) && schema.items) {
    for (const [index, item] of value.entries()) {
      findUnknownCustom(schema.items, item, `${path}[${index}]`, messages)
    }
  }
  if (!isRecord(value) || !schema.properties) return
  for (const [name, child] of Object.entries(value)) {
    if (messages.length >= MESSAGES_MAX) return
    const at = path === '' ? name : `${path}.${name}`
    const known = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined
    if (known) findUnknownCustom(known, child, at, messages)
    else messages.push(`unknown field "${at}"`)
  }
}

function findUnknown(structure: Structure, object: JsonObject, path: string, messages: string[]): void {
  for (const [name, value] of Object.entries(object)) {
    if (messages.length >= MESSAGES_MAX) return
    const field = structure.fields.get(name)
    const at = path === '' ? name : `${path}.${name}`
    const inner = structureIn(field)
    if (!field) messages.push(`unknown field "${at}"`)
    else if (!inner) continue
    else if (field.shape === 'list' && Array.isArray(value)) findInList(inner, value, at, messages)
    else if (isRecord(value)) findUnknown(inner, value, at, messages)
  }
}

function findInList(structure: Structure, list: readonly unknown[], path: string, messages: string[]): void {
  for (const [index, item] of list.entries()) {
    if (isRecord(item)) findUnknown(structure, item, `${path}[${index}]`, messages)
  }
}
