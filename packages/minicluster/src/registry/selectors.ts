import { statusErrors } from '../errors.ts'
import type { AnyObject } from '../model.ts'
import type { ResourceDefinition } from './resources.ts'

/** Tells whether an object belongs to a list or watch. */
export type Matcher = (object: AnyObject) => boolean

const TEXT_MAX = 16_384
const TERMS_MAX = 256
const KEY = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/
const VALUE = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/

/**
 * Parses a label selector: `a=b`, `a==b`, `a!=b`, `a`, `!a`, `a in (x,y)`, `a notin (x,y)`, `a>1`, `a<1`.
 * Source: the grammar in the Kubernetes documentation, "Labels and Selectors".
 * @throws {StatusError} 400
 */
export function parseLabelSelector(text: string): Matcher | undefined {
  if (text.trim() === '') return undefined
  if (text.length > TEXT_MAX)
    throw statusErrors.badRequest('unable to parse requirement: the selector is too long')
  const terms = splitTerms(text).map(parseTerm)
  return ({ metadata: { labels = {} } }) => terms.every((term) => term(labels))
}

type LabelTerm = (labels: Readonly<Record<string, string>>) => boolean

/** Splits at commas outside of parentheses. */
function splitTerms(text: string): string[] {
  const terms = text.split(/,(?![^(]*\))/).map((term) => term.trim())
  if (terms.length > TERMS_MAX) throw statusErrors.badRequest('unable to parse requirement: too many terms')
  return terms
}

function parseTerm(term: string): LabelTerm {
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(term)
  if (set) {
    const key = labelKey(set[1] ?? '')
    const values = new Set((set[3] ?? '').split(',').map((value) => labelValue(value.trim())))
    return set[2] === 'in'
      ? (labels) => labels[key] !== undefined && values.has(labels[key])
      : (labels) => labels[key] === undefined || !values.has(labels[key])
  }
  const pair = /^([^\s=!<>]+)\s*(==|=|!=|<|>)\s*([^\s=!<>]*)$/.exec(term)
  if (pair) return comparison(labelKey(pair[1] ?? ''), pair[2] ?? '', pair[3] ?? '')
  if (term.startsWith('!')) {
    const key = labelKey(term.slice(1).trim())
    return (labels) => labels[key] === undefined
  }
  const key = labelKey(term)
  return (labels) => labels[key] !== undefined
}

function comparison(key: string, operator: string, text: string): LabelTerm {
  if (operator === '<' || operator === '>') {
    if (!/^-?\d{1,18}$/.test(text))
      throw statusErrors.badRequest(
        `unable to parse requirement: values[0][${key}]: Invalid value: "${text}": for 'Gt', 'Lt' operators, the value must be an integer`,
      )
    const bound = Number(text)
    return (labels) => {
      const value = Number(labels[key] ?? Number.NaN)
      return operator === '<' ? value < bound : value > bound
    }
  }
  const value = labelValue(text)
  return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value
}

function labelKey(text: string): string {
  if (KEY.test(text)) return text
  throw statusErrors.badRequest(
    `unable to parse requirement: <nil>: Invalid value: "${text.slice(0, 300)}": not a label key`,
  )
}

function labelValue(text: string): string {
  if (VALUE.test(text)) return text
  throw statusErrors.badRequest(
    `unable to parse requirement: values[0]: Invalid value: "${text.slice(0, 300)}": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`,
  )
}

/** A field selector with what it says about the name, by which watches are indexed. */
export type FieldSelector = { readonly matches: Matcher; readonly name: string | undefined }

/**
 * Parses a field selector of `=`, `==` and `!=` terms.
 * @throws {StatusError} 400, also for a field by which the resource cannot be selected
 */
export function parseFieldSelector(definition: ResourceDefinition, text: string): FieldSelector | undefined {
  if (text.trim() === '') return undefined
  if (text.length > TEXT_MAX) throw statusErrors.badRequest('invalid field selector: too long')
  let name: string | undefined
  const terms = text.split(/(?<!\\),/).map((term) => {
    const match = /^([^=!]+)(==|=|!=)(.*)$/.exec(term)
    if (!match) throw statusErrors.badRequest(`invalid selector: '${term}'; can't understand '${term}'`)
    const field = match[1] ?? ''
    const read = fieldReader(definition, field)
    const wanted = (match[3] ?? '').replaceAll(/\\([\\,=])/g, '$1')
    const equal = match[2] !== '!='
    if (equal && field === 'metadata.name') name = wanted
    return (object: AnyObject): boolean => (read(object) === wanted) === equal
  })
  return { matches: (object) => terms.every((term) => term(object)), name }
}

function fieldReader(definition: ResourceDefinition, field: string): (object: AnyObject) => string {
  if (field === 'metadata.name') return (object) => object.metadata.name
  if (field === 'metadata.namespace' && definition.namespaced)
    return (object) => object.metadata.namespace ?? ''
  const read = Object.hasOwn(definition.fields, field) ? definition.fields[field] : undefined
  if (read) return read
  const label = field.slice(0, 253)
  throw statusErrors.badRequest(
    Object.keys(definition.fields).length === 0 && !definition.custom
      ? `${JSON.stringify(label)} is not a known field selector: only "metadata.name", "metadata.namespace"`
      : `field label not supported: ${label}`,
  )
}
