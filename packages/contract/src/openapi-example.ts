import { isObject, type JsonSchema } from './json-schema.ts'

const DEPTH_MAX = 8
const ID_TAIL = '01k9x2v7c8d3f4g5h6j7m8n9pq'
const TEXT_BY_NAME: Readonly<Record<string, string>> = {
  slug: 'shop',
  name: 'Shop',
  displayName: 'Li Wei',
  description: 'The shop of our customers',
  message: 'There is no such thing here, or you may not know of it.',
  code: 'not_found',
}

/**
 * A plausible value for a schema, for the examples of the reference. The same schema always gives the same value.
 * @param components - where references lead
 */
export function exampleOf(
  schema: unknown,
  components: Readonly<Record<string, JsonSchema>>,
  place: { readonly name?: string; readonly depth?: number } = {},
): unknown {
  const depth = place.depth ?? 0
  if (!isObject(schema) || depth > DEPTH_MAX) return null
  const inner = (child: unknown, name?: string): unknown =>
    exampleOf(child, components, { depth: depth + 1, ...(name !== undefined && { name }) })
  if (typeof schema['$ref'] === 'string') {
    const name = schema['$ref'].replace('#/components/schemas/', '')
    return exampleOf(components[name], components, { depth: depth + 1, name: place.name ?? name })
  }
  if (Array.isArray(schema['examples'])) return schema['examples'][0]
  if ('const' in schema) return schema['const']
  if ('default' in schema) return schema['default']
  if (Array.isArray(schema['enum'])) return schema['enum'][0]
  for (const keyword of ['oneOf', 'anyOf'])
    if (Array.isArray(schema[keyword])) return inner(schema[keyword][0], place.name)
  if (Array.isArray(schema['allOf']))
    return Object.assign({}, ...schema['allOf'].map((part) => inner(part, place.name)))
  switch (schema['type']) {
    case 'object':
      return objectExample(schema, inner)
    case 'array':
      return [inner(schema['items'])]
    case 'integer':
    case 'number':
      return numberExample(schema)
    case 'boolean':
      return false
    case 'string':
      return textExample(schema, place.name ?? '')
    default:
      return null
  }
}

/** Required fields only, and where nothing is required the first one: what a reader has to write at least. */
function objectExample(schema: JsonSchema, inner: (child: unknown, name?: string) => unknown): unknown {
  const properties = Object.entries(isObject(schema['properties']) ? schema['properties'] : {})
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  const shown =
    required.length === 0 ? properties.slice(0, 1) : properties.filter(([name]) => required.includes(name))
  return Object.fromEntries(shown.map(([name, child]) => [name, inner(child, name)]))
}

function numberExample(schema: JsonSchema): number {
  const minimum = typeof schema['minimum'] === 'number' ? schema['minimum'] : 0
  return minimum > Number.MIN_SAFE_INTEGER ? Math.max(minimum, 1) : 1
}

function textExample(schema: JsonSchema, name: string): string {
  const pattern = typeof schema['pattern'] === 'string' ? schema['pattern'] : ''
  const prefix = /^\^([a-z]+)_\[0-9a-z\]/u.exec(pattern)?.[1]
  if (prefix !== undefined) return `${prefix}_${ID_TAIL}`
  if (schema['format'] === 'date-time') return '2026-01-15T08:30:00.000Z'
  if (schema['format'] === 'uri') return 'https://example.com/repository.git'
  if (/sha256/u.test(pattern)) return `sha256:${'5d'.repeat(32)}`
  const known = /password/iu.test(name) ? 'correct horse battery' : TEXT_BY_NAME[name]
  const candidates = [...(known === undefined ? [] : [known]), 'shop', 'text of some length']
  return candidates.find((text) => fits(schema, pattern, text)) ?? '…'
}

function fits(schema: JsonSchema, pattern: string, text: string): boolean {
  const { minLength = 0, maxLength = Number.MAX_SAFE_INTEGER } = schema
  const isLongEnough = typeof minLength !== 'number' || text.length >= minLength
  return isLongEnough && (typeof maxLength !== 'number' || text.length <= maxLength) && matches(pattern, text)
}

function matches(pattern: string, text: string): boolean {
  return pattern === '' || new RegExp(pattern, 'u').test(text)
}
