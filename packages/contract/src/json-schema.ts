import { z } from 'zod'

/** A JSON Schema, draft 2020-12, as OpenAPI 3.1 uses it. */
export type JsonSchema = { readonly [keyword: string]: unknown }

const UNION_KEYWORDS = ['anyOf', 'oneOf', 'allOf'] as const

/** Names of the fields an object schema (or a union of such) takes, in the order of their declaration. */
export function fieldNames(schema: z.ZodType): readonly string[] {
  return [
    ...new Set(namesOf(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }))),
  ]
}

/** Names of the fields of a body; undefined when it takes none. */
export function bodyFields(schema: z.ZodType): readonly string[] | undefined {
  const names = fieldNames(schema)
  return names.length === 0 ? undefined : names
}

function namesOf(schema: JsonSchema): readonly string[] {
  const own = isObject(schema['properties']) ? Object.keys(schema['properties']) : []
  const inner = UNION_KEYWORDS.flatMap((keyword) => listOf(schema[keyword]).flatMap(namesOf))
  return [...own, ...inner]
}

export type SchemaWriter = {
  /** The JSON Schema of a zod schema; named schemas become references and are kept for `components`. */
  readonly write: (schema: z.ZodType, io: 'input' | 'output') => JsonSchema
  /** The same, but the schema itself is written out, whatever its name. */
  readonly writeInline: (schema: z.ZodType, io: 'input' | 'output') => JsonSchema
  readonly components: () => Readonly<Record<string, JsonSchema>>
}

/**
 * Turns zod schemas into JSON Schema. `exported` is the contract's module namespace: what it exports under a capital
 * letter keeps that name. A schema that reads differently from what it writes (defaults) gets `Input` appended for reading.
 */
export function schemaWriter(exported: Readonly<Record<string, unknown>>): SchemaWriter {
  const names = new Map<unknown, string>()
  for (const [name, value] of Object.entries(exported))
    if (/^[A-Z]/u.test(name) && value instanceof z.ZodType && !(value instanceof z.ZodUndefined))
      names.set(value, name)
  const registry = z.registry<{ id?: string }>()
  // zod's own registry holds the descriptions; the names are added on the way out, so that nothing global changes.
  registry.get = (schema) => {
    const name = names.get(schema)
    return { ...z.globalRegistry.get(schema), ...(name !== undefined && { id: name }) } as never
  }
  const components = new Map<string, JsonSchema>()

  function writeBody(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
    const whole: JsonSchema = z.toJSONSchema(schema, { metadata: registry, io, unrepresentable: 'any' })
    const { $schema: _, $defs: definitions, ...root } = whole
    const found = Object.entries(isObject(definitions) ? definitions : {}) as [string, JsonSchema][]
    const final = new Map(found.map(([name, body]) => [name, finalNameOf(name, body, io)]))
    for (const [name, body] of found) components.set(final.get(name) ?? name, tidied(body, final))
    const { id: __, ...body } = root
    return tidied(body, final)
  }

  return {
    writeInline: writeBody,
    write(schema, io) {
      const body = writeBody(schema, io)
      const id = names.get(schema)
      if (id === undefined || typeof body['$ref'] === 'string') return body
      const name = finalNameOf(id, body, io)
      components.set(name, body)
      return { $ref: `#/components/schemas/${name}` }
    },
    components: () => Object.fromEntries([...components].sort(([a], [b]) => (a < b ? -1 : 1))),
  }
}

/** Only a schema with a default, somewhere inside, reads differently from what it writes. */
function finalNameOf(name: string, body: JsonSchema, io: 'input' | 'output'): string {
  return io === 'input' && JSON.stringify(body).includes('"default":') ? `${name}Input` : name
}

/** References into `components`, and no pattern where a format already says it. */
function tidied(value: unknown, names: ReadonlyMap<string, string>): JsonSchema {
  return walk(value) as JsonSchema

  function walk(inner: unknown): unknown {
    if (Array.isArray(inner)) return inner.map(walk)
    if (!isObject(inner)) return inner
    const entries = Object.entries(inner).flatMap(([key, child]): [string, unknown][] => {
      if (key === '$ref' && typeof child === 'string') return [[key, referenceOf(child)]]
      if (key === 'pattern' && inner['format'] === 'date-time') return []
      return [[key, walk(child)]]
    })
    return Object.fromEntries(entries)
  }

  function referenceOf(reference: string): string {
    const name = reference.replace('#/$defs/', '')
    return `#/components/schemas/${names.get(name) ?? name}`
  }
}

/** True for objects that are neither null nor arrays. */
export function isObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function listOf(value: unknown): readonly JsonSchema[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}
