/*
 * The Gateway API kinds: limits from their definitions' schema, then the rules that stand there in CEL, of which those are
 * written out here that people run into. As on a real server the rules are looked at only when the schema is fulfilled as far
 * as they need it.
 */
import { isRecord } from '@slipway/kit'

import type { CustomSchema } from '../../schema/custom.ts'
import { customSchemaOf } from '../../schema/custom.ts'
import type { JsonObject } from '../../schema/json.ts'
import { objectOf, sameJson } from '../../schema/json.ts'
import { validateGatewayRules, validateRouteRules } from './gateway-rules.ts'
import type { Report } from './report.ts'

/** Findings after which the rules cannot be evaluated. */
const STRUCTURAL = new Set([
  'FieldValueRequired',
  'FieldValueTypeInvalid',
  'FieldValueNotSupported',
  'FieldValueTooMany',
])
const NOT_CHECKED =
  'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors ' +
  'to complete validation'

export function validateCustom(object: JsonObject, old: JsonObject | undefined, report: Report): void {
  const kind = object['kind']
  const schema = typeof kind === 'string' ? customSchemaOf(kind) : undefined
  if (!schema) return
  const found = report.causes.length
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...rest } = object
  validateValue(schema, rest, '', report)
  if (report.causes.slice(found).some(({ reason }) => STRUCTURAL.has(reason))) {
    report.add('FieldValueInvalid', '<nil>', NOT_CHECKED)
    return
  }
  const spec = objectOf(object['spec'])
  if (kind === 'HTTPRoute') validateRouteRules(spec, report)
  if (kind === 'Gateway') validateGatewayRules(spec, report)
  if (kind !== 'GatewayClass' || !old) return
  const controllerName = spec['controllerName']
  if (!sameJson(controllerName, objectOf(old['spec'])['controllerName'])) {
    report.invalid('spec.controllerName', controllerName, 'Value is immutable')
  }
}

function validateValue(schema: CustomSchema, value: unknown, field: string, report: Report): void {
  if (!hasType(schema, value)) {
    const message = `${field} in body must be of type ${schema.type ?? ''}: ${JSON.stringify(typeNameOf(value))}`
    report.add(
      'FieldValueTypeInvalid',
      field,
      `Invalid value: ${JSON.stringify(typeNameOf(value))}: ${message}`,
    )
    return
  }
  if (schema.enum && !schema.enum.includes(value)) {
    report.oneOf(field, value, schema.enum.map(String))
  } else if (typeof value === 'string') validateText(schema, value, field, report)
  else if (typeof value === 'number') validateNumber(schema, value, field, report)
  else if (Array.isArray(value)) validateList(schema, value, field, report)
  else if (isRecord(value)) validateObjectFields(schema, value, field, report)
}

function hasType({ type }: CustomSchema, value: unknown): boolean {
  switch (type) {
    case 'integer':
      return Number.isInteger(value)
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isRecord(value)
    case 'string':
    case 'boolean':
    case 'number':
      return typeof value === type
    default:
      return true
  }
}

function typeNameOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return value === null ? 'null' : typeof value
}

function validateText(schema: CustomSchema, value: string, field: string, report: Report): void {
  const { minLength, maxLength, pattern } = schema
  if (maxLength !== undefined && value.length > maxLength) {
    // No pattern is tried on a text that is too long.
    report.tooLong(field, maxLength)
    return
  }
  if (minLength !== undefined && value.length < minLength) {
    report.invalid(field, value, `${field} in body should be at least ${minLength} chars long`)
    return
  }
  if (pattern !== undefined && !patternOf(pattern).test(value)) {
    report.invalid(field, value, `${field} in body should match '${pattern}'`)
  }
}

const patterns = new Map<string, RegExp>()

function patternOf(text: string): RegExp {
  const known = patterns.get(text)
  if (known) return known
  const pattern = new RegExp(text)
  patterns.set(text, pattern)
  return pattern
}

function validateNumber(
  { minimum, maximum }: CustomSchema,
  value: number,
  field: string,
  report: Report,
): void {
  if (minimum !== undefined && value < minimum) {
    report.invalid(field, value, `${field} in body should be greater than or equal to ${minimum}`)
  }
  if (maximum !== undefined && value > maximum) {
    report.invalid(field, value, `${field} in body should be less than or equal to ${maximum}`)
  }
}

function validateList(schema: CustomSchema, value: readonly unknown[], field: string, report: Report): void {
  const { minItems, maxItems, items } = schema
  if (maxItems !== undefined && value.length > maxItems) {
    report.tooMany(field, value.length, maxItems)
    return
  }
  if (minItems !== undefined && value.length < minItems) {
    report.invalid(field, value.length, `${field} in body should have at least ${minItems} items`)
  }
  const keys = schema['x-kubernetes-list-map-keys']
  if (keys) refuseRepeatedItems(value, keys, field, report)
  if (!items) return
  for (const [index, item] of value.entries()) validateValue(items, item, `${field}[${index}]`, report)
}

function refuseRepeatedItems(
  items: readonly unknown[],
  keys: readonly string[],
  field: string,
  report: Report,
): void {
  const known = new Set<string>()
  for (const [index, item] of items.entries()) {
    const key = Object.fromEntries(keys.map((name) => [name, objectOf(item)[name]]))
    const text = JSON.stringify(key)
    if (known.has(text)) report.duplicate(`${field}[${index}]`, key)
    known.add(text)
  }
}

function validateObjectFields(schema: CustomSchema, value: JsonObject, field: string, report: Report): void {
  const at = (name: string): string => (field === '' ? name : `${field}.${name}`)
  for (const name of schema.required ?? []) {
    if (value[name] === undefined) report.required(at(name))
  }
  const names = Object.keys(value)
  if (schema.maxProperties !== undefined && names.length > schema.maxProperties) {
    report.tooMany(field, names.length, schema.maxProperties)
  }
  for (const name of names) {
    const property = schema.properties?.[name] ?? schema.additionalProperties
    if (property) validateValue(property, value[name], at(name), report)
  }
}
