import type { JsonObject } from '../../schema/json.ts'
import { listOf, objectOf, textOf } from '../../schema/json.ts'
import type { Report } from './report.ts'

const MATCHES_MAX = 128
const PATH_CHARACTERS = /^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$/
const REFUSED_IN_PATH = ['//', '/./', '/../', '%2f', '%2F', '#']
const FILTERS: { readonly [type: string]: string } = {
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  RequestMirror: 'requestMirror',
  RequestRedirect: 'requestRedirect',
  URLRewrite: 'urlRewrite',
  ExtensionRef: 'extensionRef',
}
const REPLACING: { readonly [type: string]: string } = {
  RequestRedirect: 'requestRedirect',
  URLRewrite: 'urlRewrite',
}
const MODIFIERS: { readonly [type: string]: string } = {
  ReplaceFullPath: 'replaceFullPath',
  ReplacePrefixMatch: 'replacePrefixMatch',
}
const SINGLE_FILTERS = ['RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestRedirect', 'URLRewrite']

/** A broken rule names no value. */
function refuse(report: Report, field: string, message: string): void {
  report.add('FieldValueInvalid', field, `Invalid value: ${message}`)
}

export function validateRouteRules(spec: JsonObject, report: Report): void {
  validateParents(listOf(spec['parentRefs']).map(objectOf), report)
  const rules = listOf(spec['rules']).map(objectOf)
  const matchCount = rules.reduce((sum, rule) => sum + listOf(rule['matches']).length, 0)
  if (matchCount > MATCHES_MAX) {
    const why =
      'While 16 rules and 64 matches per rule are allowed, the total number of matches across all rules in a route must be less than 128'
    refuse(report, 'spec.rules', why)
  }
  for (const [index, rule] of rules.entries()) validateRule(rule, `spec.rules[${index}]`, report)
}

function validateParents(parents: readonly JsonObject[], report: Report): void {
  const keyOf = (parent: JsonObject, ...fields: readonly string[]): string =>
    JSON.stringify(['group', 'kind', 'name', 'namespace', ...fields].map((field) => parent[field] ?? ''))
  const isRepeated = (...fields: readonly string[]): boolean =>
    new Set(parents.map((parent) => keyOf(parent, ...fields))).size < parents.length
  if (isRepeated('sectionName', 'port')) {
    const why = 'sectionName must be unique when parentRefs includes 2 or more references to the same parent'
    refuse(report, 'spec.parentRefs', why)
    return
  }
  const named = Map.groupBy(parents, (parent) => keyOf(parent))
  const isMixed = [...named.values()].some(
    (group) =>
      group.length > 1 && group.some((one) => textOf(one['sectionName']) === '' && one['port'] === undefined),
  )
  if (!isMixed) return
  const why = 'sectionName must be specified when parentRefs includes 2 or more references to the same parent'
  refuse(report, 'spec.parentRefs', why)
}

function validateRule(rule: JsonObject, field: string, report: Report): void {
  const filters = listOf(rule['filters']).map(objectOf)
  const backends = listOf(rule['backendRefs']).map(objectOf)
  for (const [index, match] of listOf(rule['matches']).map(objectOf).entries()) {
    if (match['path'] !== undefined)
      validatePath(objectOf(match['path']), `${field}.matches[${index}].path`, report)
  }
  validateFilters(filters, `${field}.filters`, report)
  for (const [index, backend] of backends.entries()) {
    const at = `${field}.backendRefs[${index}]`
    requirePort(backend, at, report)
    validateFilters(listOf(backend['filters']).map(objectOf), `${at}.filters`, report)
  }
  if (backends.length > 0 && filters.some((filter) => filter['requestRedirect'] !== undefined)) {
    refuse(report, field, 'RequestRedirect filter must not be used together with backendRefs')
  }
  validatePrefixReplacement(rule, filters, field, report)
  validateTimeouts(objectOf(rule['timeouts']), `${field}.timeouts`, report)
}

/** A prefix can only be replaced where the rule says which prefix it is. */
function validatePrefixReplacement(
  rule: JsonObject,
  filters: readonly JsonObject[],
  field: string,
  report: Report,
): void {
  const [match, ...more] = listOf(rule['matches']).map(objectOf)
  const hasOnePrefix = more.length === 0 && objectOf(match?.['path'])['type'] === 'PathPrefix'
  for (const [type, part] of Object.entries(REPLACING)) {
    const replaces = filters.some(
      (filter) => objectOf(objectOf(filter[part])['path'])['replacePrefixMatch'] !== undefined,
    )
    if (!replaces || hasOnePrefix) continue
    const why = 'filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified'
    refuse(report, field, `When using ${type} ${why}`)
  }
}

function validatePathModifier(modifier: JsonObject, field: string, report: Report): void {
  for (const [type, part] of Object.entries(MODIFIERS)) {
    const isSet = modifier[part] !== undefined
    if (modifier['type'] === type && !isSet) {
      refuse(report, field, `${part} must be specified when type is set to '${type}'`)
    }
    if (isSet && modifier['type'] !== type)
      refuse(report, field, `type must be '${type}' when ${part} is set`)
  }
}

function requirePort(backend: JsonObject, field: string, report: Report): void {
  if (textOf(backend['group']) === '' && backend['kind'] === 'Service' && backend['port'] === undefined) {
    refuse(report, field, 'Must have port for Service reference')
  }
}

function validatePath(path: JsonObject, field: string, report: Report): void {
  const { type } = path
  if (type !== 'Exact' && type !== 'PathPrefix') return
  const value = textOf(path['value'])
  const where = "when type one of ['Exact', 'PathPrefix']"
  if (!value.startsWith('/'))
    refuse(report, field, `value must be an absolute path and start with '/' ${where}`)
  for (const part of REFUSED_IN_PATH) {
    if (value.includes(part)) refuse(report, field, `must not contain '${part}' ${where}`)
  }
  for (const end of ['/..', '/.']) {
    if (value.endsWith(end)) refuse(report, field, `must not end with '${end}' ${where}`)
  }
  if (!PATH_CHARACTERS.test(value)) {
    const characters =
      "must only contain valid characters (matching ^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$)"
    refuse(report, field, `${characters} for types ['Exact', 'PathPrefix']`)
  }
}

function validateFilters(filters: readonly JsonObject[], field: string, report: Report): void {
  for (const [index, filter] of filters.entries()) {
    const type = textOf(filter['type'])
    for (const [known, part] of Object.entries(FILTERS)) {
      const isSet = filter[part] !== undefined
      if (isSet && type !== known) {
        refuse(report, `${field}[${index}]`, `filter.${part} must be nil if the filter.type is not ${known}`)
      }
      if (!isSet && type === known) {
        refuse(report, `${field}[${index}]`, `filter.${part} must be specified for ${known} filter.type`)
      }
    }
    for (const part of Object.values(REPLACING)) {
      const { path } = objectOf(filter[part])
      if (path !== undefined) validatePathModifier(objectOf(path), `${field}[${index}].${part}.path`, report)
    }
    const mirror = objectOf(filter['requestMirror'])
    if (filter['requestMirror'] !== undefined) {
      requirePort(objectOf(mirror['backendRef']), `${field}[${index}].requestMirror.backendRef`, report)
    }
  }
  const types = filters.map((filter) => filter['type'])
  for (const type of SINGLE_FILTERS) {
    if (types.filter((one) => one === type).length > 1)
      refuse(report, field, `${type} filter cannot be repeated`)
  }
  if (types.includes('RequestRedirect') && types.includes('URLRewrite')) {
    const why =
      'May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but not both'
    refuse(report, field, why)
  }
}

const UNIT_MS: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

function validateTimeouts(timeouts: JsonObject, field: string, report: Report): void {
  const request = durationMs(textOf(timeouts['request']))
  const backend = durationMs(textOf(timeouts['backendRequest']))
  if (request > 0 && backend > request) {
    refuse(report, field, 'backendRequest timeout cannot be longer than request timeout')
  }
}

/** A duration of the Gateway API: up to four numbers with units, such as `1m30s`. */
function durationMs(text: string): number {
  const parts = [...text.matchAll(/([0-9]{1,5})(ms|s|m|h)/g)]
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit ?? ''] ?? 0), 0)
}

export function validateGatewayRules(spec: JsonObject, report: Report): void {
  const listeners = listOf(spec['listeners']).map(objectOf)
  const field = 'spec.listeners'
  for (const [index, listener] of listeners.entries()) {
    const tls = objectOf(listener['tls'])
    const isBare =
      listOf(tls['certificateRefs']).length === 0 && Object.keys(objectOf(tls['options'])).length === 0
    if (listener['tls'] !== undefined && tls['mode'] === 'Terminate' && isBare) {
      const why = 'certificateRefs or options must be specified when mode is Terminate'
      refuse(report, `${field}[${index}].tls`, why)
    }
  }
  const speaks = (listener: JsonObject, ...protocols: readonly string[]): boolean =>
    protocols.includes(textOf(listener['protocol']))
  if (listeners.some((one) => speaks(one, 'HTTP', 'TCP', 'UDP') && one['tls'] !== undefined)) {
    refuse(report, field, "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']")
  }
  if (listeners.some((one) => speaks(one, 'HTTPS') && objectOf(one['tls'])['mode'] === 'Passthrough')) {
    refuse(report, field, 'tls mode must be Terminate for protocol HTTPS')
  }
  if (listeners.some((one) => speaks(one, 'TCP', 'UDP') && textOf(one['hostname']) !== '')) {
    refuse(report, field, "hostname must not be specified for protocols ['TCP', 'UDP']")
  }
  const repeats = (...fields: readonly string[]): boolean =>
    new Set(listeners.map((one) => JSON.stringify(fields.map((name) => one[name] ?? null)))).size <
    listeners.length
  if (repeats('name')) refuse(report, field, 'Listener name must be unique within the Gateway')
  if (repeats('port', 'protocol', 'hostname')) {
    refuse(report, field, 'Combination of port, protocol and hostname must be unique for each listener')
  }
}
