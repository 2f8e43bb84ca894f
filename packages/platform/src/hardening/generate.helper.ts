import { isRecord } from '@slipway/kit'
import fc from 'fast-check'
import { z } from 'zod'

/*
 * Inputs from a schema, by way of its JSON Schema: mostly what it accepts, else something one step off, else anything at all.
 * What a JSON Schema does not say (refinements, trimming) makes some "valid" values invalid, which is welcome.
 */
type Schema = Readonly<Record<string, unknown>>

const nasty: readonly string[] = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\u202e\u2066',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  "'; drop table identity_user; --",
  '%',
  '%00',
  '${7*7}',
  '{{7*7}}',
  '<script>alert(1)</script>',
  'javascript:alert(1)',
  '\r\nset-cookie: a=b',
  '-1',
  '0',
  '1e999',
  'NaN',
  'null',
  'true',
  '9007199254740993',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '0000-00-00T00:00:00Z',
  'x'.repeat(5_000),
  'é\u0301'.repeat(50),
  btoa('["1e999"]'),
  btoa('["1.5"]'),
  btoa('["a","b"]'),
  btoa('["\\u0000"]'),
  btoa('[""]'),
  btoa('[1]'),
]
const anything = fc.oneof(
  fc.constantFrom(...nasty),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.double(),
  fc.maxSafeInteger(),
  fc.constantFrom(null, true, false, {}, [], [[]], { a: { b: {} } }, -1, 0, 2 ** 31, 2 ** 63, 1.5),
)

/** Values for a schema of the contract. @param known - values worth trying for text with this pattern, such as real ids */
export function valuesOf(schema: z.ZodType, known: readonly string[]): fc.Arbitrary<unknown> {
  return arbitraryOf(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }), known)
}

function arbitraryOf(schema: Schema, known: readonly string[]): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 30, arbitrary: validOf(schema, known) }, { weight: 1, arbitrary: anything })
}

function validOf(schema: Schema, known: readonly string[]): fc.Arbitrary<unknown> {
  const union = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(union)) return fc.oneof(...union.map((one: Schema) => arbitraryOf(one, known)))
  if ('const' in schema) return fc.constant(schema['const'])
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as unknown[]))
  switch (schema['type']) {
    case 'string':
      return textOf(schema, known)
    case 'integer':
    case 'number':
      return numberOf(schema)
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array':
      return fc.array(isRecord(schema['items']) ? arbitraryOf(schema['items'], known) : anything, {
        maxLength: 4,
      })
    case 'object':
      return objectOf(schema, known)
    default:
      return anything
  }
}

function numberOf(schema: Schema): fc.Arbitrary<unknown> {
  const minimum = Math.max(Number(schema['minimum'] ?? 0), -(2 ** 31))
  const maximum = Math.min(Number(schema['maximum'] ?? 1_000), 2 ** 31)
  return fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: minimum, max: maximum }) },
    { weight: 1, arbitrary: fc.constantFrom(minimum, maximum, minimum - 1, maximum + 1, 0.5) },
  )
}

function textOf(schema: Schema, known: readonly string[]): fc.Arbitrary<unknown> {
  const pattern = typeof schema['pattern'] === 'string' ? new RegExp(schema['pattern'], 'u') : undefined
  if (schema['format'] === 'date-time')
    return fc.oneof(
      fc
        .date({ noInvalidDate: true, min: new Date('1900-01-01'), max: new Date('2100-01-01') })
        .map((date) => date.toISOString()),
      fc.constantFrom(...nasty),
    )
  const fitting = pattern === undefined ? [] : known.filter((one) => pattern.test(one))
  const fixed = fitting.length > 0 ? fc.constantFrom(...fitting) : undefined
  const made =
    pattern === undefined
      ? fc.string({ unit: 'grapheme', minLength: Number(schema['minLength'] ?? 0), maxLength: 60 })
      : fc.stringMatching(withoutClasses(pattern), { size: 'small' })
  return fc.oneof(
    ...(fixed === undefined ? [] : [{ weight: 12, arbitrary: fixed }]),
    { weight: 4, arbitrary: made },
    { weight: 1, arbitrary: fc.constantFrom(...nasty) },
  )
}

/** The generator knows no Unicode properties; their place is taken by what they mean most of the time. */
function withoutClasses(pattern: RegExp): RegExp {
  return new RegExp(pattern.source.replaceAll('\\p{Cc}', '\\u0000-\\u001f'), 'u')
}

function objectOf(schema: Schema, known: readonly string[]): fc.Arbitrary<unknown> {
  const properties = (isRecord(schema['properties']) ? schema['properties'] : {}) as Record<string, Schema>
  const required = (Array.isArray(schema['required']) ? schema['required'] : []) as string[]
  const fields = fc.record(
    Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, arbitraryOf(one, known)])),
    { requiredKeys: required },
  )
  const extra = isRecord(schema['additionalProperties'])
    ? (schema['additionalProperties'] as Schema)
    : undefined
  const whole =
    extra === undefined
      ? fields
      : fc.dictionary(
          isRecord(schema['propertyNames'])
            ? (arbitraryOf(schema['propertyNames'] as Schema, known) as fc.Arbitrary<string>).map(String)
            : fc.string(),
          arbitraryOf(extra, known),
          { maxKeys: 3, noNullPrototype: true },
        )
  return fc.oneof(
    { weight: 25, arbitrary: whole },
    {
      weight: 1,
      arbitrary: fc
        .tuple(whole, fc.constantFrom(...stray), anything)
        .map(([object, key, value]) => ({ ...object, [key]: value })),
    },
    { weight: 1, arbitrary: whole.map((object) => Object.fromEntries(Object.entries(object).slice(1))) },
  )
}

const stray = [
  'id',
  'organizationId',
  'platformRoles',
  'admin',
  'constructor',
  '__proto__',
  'toString',
  'then',
  '',
]
