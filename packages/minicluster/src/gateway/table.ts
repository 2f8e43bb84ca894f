/*
 * Which rule answers a request. Rules are sorted once, by the precedence of the Gateway API: the more specific host name, then
 * an exact path, the longer prefix, a method, more headers, more query parameters, the older route, its name, its order inside
 * the route. A look-up walks the rules of the request's host and takes the first that matches.
 */
import type { HttpRouteFilter, HttpRouteMatch } from '../model.ts'

export type Backend =
  | {
      readonly kind: 'service'
      readonly namespace: string
      readonly name: string
      readonly port: number
      readonly weight: number
      readonly filters: readonly HttpRouteFilter[]
    }
  | { readonly kind: 'invalid'; readonly name: string; readonly weight: number; readonly why: string }

export type Rule = {
  /** Stays the same while the rule does, so that its rotation is kept. */
  readonly key: string
  readonly namespace: string
  readonly route: string
  readonly filters: readonly HttpRouteFilter[]
  readonly backends: readonly Backend[]
  readonly requestTimeoutMs: number | undefined
  readonly backendTimeoutMs: number | undefined
}

export type RequestFacts = {
  /** Lower case, without port. */
  readonly host: string
  /** Without query, dot segments resolved. */
  readonly path: string
  readonly query: string
  readonly method: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

type Match = {
  readonly pathType: 'Exact' | 'PathPrefix'
  readonly path: string
  readonly method: string | undefined
  readonly headers: readonly { readonly name: string; readonly value: string }[]
  readonly query: readonly { readonly name: string; readonly value: string }[]
}
export type Found = { readonly rule: Rule; readonly matchedPrefix: string }
type Entry = { readonly match: Match; readonly rule: Rule; readonly age: readonly [number, string, number] }

export type HostTable = {
  readonly exact: ReadonlyMap<string, readonly Entry[]>
  /** By the part after the star, with its dot. */
  readonly wildcard: ReadonlyMap<string, readonly Entry[]>
  readonly any: readonly Entry[]
}

/** A route's rules under one host name; undefined means every host. */
export type RouteOnHost = {
  readonly host: string | undefined
  readonly createdMs: number
  readonly routeName: string
  readonly rules: readonly { readonly rule: Rule; readonly matches: readonly HttpRouteMatch[] }[]
}

export function buildTable(routes: readonly RouteOnHost[]): HostTable {
  const exact = new Map<string, Entry[]>()
  const wildcard = new Map<string, Entry[]>()
  const any: Entry[] = []
  for (const route of routes) {
    const entries = entriesOf(route)
    if (route.host === undefined) any.push(...entries)
    else if (route.host.startsWith('*')) append(wildcard, route.host.slice(1), entries)
    else append(exact, route.host, entries)
  }
  for (const entries of [...exact.values(), ...wildcard.values(), any]) entries.sort(compareEntries)
  return { exact, wildcard, any }
}

function append(map: Map<string, Entry[]>, key: string, entries: readonly Entry[]): void {
  map.set(key, [...(map.get(key) ?? []), ...entries])
}

function entriesOf(route: RouteOnHost): readonly Entry[] {
  return route.rules.flatMap(({ rule, matches }, index) =>
    (matches.length > 0 ? matches : [{}]).map((match) => ({
      match: compile(match),
      rule,
      age: [route.createdMs, route.routeName, index] as const,
    })),
  )
}

function compile(match: HttpRouteMatch): Match {
  const pathType = match.path?.type === 'Exact' ? 'Exact' : 'PathPrefix'
  const path = match.path?.value ?? '/'
  return {
    pathType,
    // A trailing slash of a prefix means nothing: `/a/` and `/a` match the same.
    path: pathType === 'PathPrefix' && path.length > 1 ? path.replace(/\/+$/, '') || '/' : path,
    method: match.method,
    headers: firstOfEachName(match.headers ?? [], true),
    query: firstOfEachName(match.queryParams ?? [], false),
  }
}

/** Of entries with an equal name only the first counts. */
function firstOfEachName(
  items: readonly { readonly name: string; readonly value: string }[],
  ignoreCase: boolean,
): readonly { readonly name: string; readonly value: string }[] {
  const seen = new Map<string, { readonly name: string; readonly value: string }>()
  for (const { name, value } of items) {
    const key = ignoreCase ? name.toLowerCase() : name
    if (!seen.has(key)) seen.set(key, { name: key, value })
  }
  return [...seen.values()]
}

function compareEntries(a: Entry, b: Entry): number {
  return (
    Number(b.match.pathType === 'Exact') - Number(a.match.pathType === 'Exact') ||
    b.match.path.length - a.match.path.length ||
    Number(b.match.method !== undefined) - Number(a.match.method !== undefined) ||
    b.match.headers.length - a.match.headers.length ||
    b.match.query.length - a.match.query.length ||
    a.age[0] - b.age[0] ||
    (a.age[1] < b.age[1] ? -1 : Number(a.age[1] > b.age[1])) ||
    a.age[2] - b.age[2]
  )
}

/** The rule for a request, the most specific host first; undefined when no route wants it. */
export function findRule(table: HostTable, request: RequestFacts): Found | undefined {
  for (const entries of candidates(table, request.host)) {
    const entry = entries.find(({ match }) => matches(match, request))
    if (entry)
      return {
        rule: entry.rule,
        matchedPrefix: entry.match.pathType === 'PathPrefix' ? entry.match.path : request.path,
      }
  }
  return undefined
}

function* candidates(table: HostTable, host: string): Generator<readonly Entry[]> {
  const exact = table.exact.get(host)
  if (exact) yield exact
  for (let dot = host.indexOf('.'); dot > 0; dot = host.indexOf('.', dot + 1)) {
    const entries = table.wildcard.get(host.slice(dot))
    if (entries) yield entries
  }
  yield table.any
}

function matches(match: Match, request: RequestFacts): boolean {
  if (match.method !== undefined && match.method !== request.method) return false
  if (!matchesPath(match, request.path)) return false
  if (match.headers.some(({ name, value }) => headerText(request.headers[name]) !== value)) return false
  if (match.query.length === 0) return true
  const query = new URLSearchParams(request.query)
  return match.query.every(({ name, value }) => query.get(name) === value)
}

function matchesPath({ pathType, path }: Match, actual: string): boolean {
  if (pathType === 'Exact') return actual === path
  if (path === '/') return true
  return actual === path || actual.startsWith(`${path}/`)
}

function headerText(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' || value === undefined ? value : value.join(', ')
}

/** Says whether a host fits a host name that may begin with `*.`. */
export function hostFits(pattern: string | undefined, host: string): boolean {
  if (pattern === undefined) return true
  if (!pattern.startsWith('*.')) return pattern === host
  return host.length > pattern.length - 1 && host.endsWith(pattern.slice(1))
}

/** The host names under which a route is served by a listener: the more specific of each fitting pair; empty when none fits. */
export function commonHosts(
  listener: string | undefined,
  route: readonly string[] | undefined,
): readonly (string | undefined)[] {
  if (route === undefined || route.length === 0) return [listener?.toLowerCase()]
  if (listener === undefined) return route.map((host) => host.toLowerCase())
  const wide = listener.toLowerCase()
  return route
    .map((host) => host.toLowerCase())
    .flatMap((host) => {
      if (host === wide || hostFits(wide, host.replace(/^\*/, 'x'))) return [host]
      return hostFits(host, wide.replace(/^\*/, 'x')) ? [wide] : []
    })
}
