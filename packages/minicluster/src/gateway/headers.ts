/*
 * What the gateway does to headers. Hop-by-hop ones end here (RFC 9110, 7.6.1). Where a request came from is stated by the
 * gateway alone: whatever a client sent as X-Forwarded-* or Forwarded is dropped, since an application would believe it.
 */
import type { HttpRouteFilter } from '../model.ts'

/** Names and values in turn, as node:http has them: order, case and repetitions are kept. */
export type RawHeaders = readonly string[]
type Pairs = [name: string, value: string][]

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])
const ORIGIN = /^(?:forwarded|x-forwarded(?:-.*)?|x-real-ip|x-original-.*|x-client-ip|true-client-ip)$/

export type Origin = {
  readonly clientAddress: string
  readonly host: string
  readonly port: number
}

export type Outgoing = {
  readonly hasBody: boolean
  /** The protocol asked for by an upgrade, e.g. `websocket`. */
  readonly upgrade: string | undefined
  readonly filters: readonly HttpRouteFilter[]
}

/** The headers for the instance. */
export function requestHeaders(raw: RawHeaders, origin: Origin, outgoing: Outgoing): string[] {
  const dropped = connectionTokens(raw)
  let pairs: Pairs = pairsOf(raw).filter(([name]) => {
    const lower = name.toLowerCase()
    return !HOP_BY_HOP.has(lower) && !dropped.has(lower) && !ORIGIN.test(lower) && lower !== 'expect'
  })
  const isChunked = pairsOf(raw).some(([name]) => name.toLowerCase() === 'transfer-encoding')
  // A length beside chunks would let two readers disagree about where the request ends.
  if (isChunked) pairs = pairs.filter(([name]) => name.toLowerCase() !== 'content-length')
  for (const filter of outgoing.filters) pairs = modify(pairs, filter.requestHeaderModifier)
  const rewritten = outgoing.filters.find((filter) => filter.urlRewrite?.hostname !== undefined)
  if (rewritten?.urlRewrite?.hostname !== undefined)
    pairs = modify(pairs, { set: [{ name: 'Host', value: rewritten.urlRewrite.hostname }] })
  const quoted = origin.clientAddress.includes(':') ? `"[${origin.clientAddress}]"` : origin.clientAddress
  pairs.push(
    ['X-Forwarded-For', origin.clientAddress],
    ['X-Forwarded-Host', origin.host],
    ['X-Forwarded-Port', String(origin.port)],
    ['X-Forwarded-Proto', 'http'],
    ['Forwarded', `for=${quoted};host="${origin.host.replaceAll(/["\\]/g, '')}";proto=http`],
  )
  if (outgoing.hasBody && isChunked) pairs.push(['Transfer-Encoding', 'chunked'])
  if (outgoing.upgrade !== undefined) pairs.push(['Connection', 'Upgrade'], ['Upgrade', outgoing.upgrade])
  return pairs.flat()
}

/** The headers for the client. */
export function responseHeaders(raw: RawHeaders, filters: readonly HttpRouteFilter[]): string[] {
  const dropped = connectionTokens(raw)
  let pairs: Pairs = pairsOf(raw).filter(([name]) => {
    const lower = name.toLowerCase()
    return !HOP_BY_HOP.has(lower) && !dropped.has(lower)
  })
  for (const filter of filters) pairs = modify(pairs, filter.responseHeaderModifier)
  return pairs.flat()
}

function pairsOf(raw: RawHeaders): Pairs {
  const pairs: Pairs = []
  for (let index = 0; index + 1 < raw.length; index += 2) pairs.push([raw[index] ?? '', raw[index + 1] ?? ''])
  return pairs
}

/** Names that the Connection header declares to be for this hop only. */
function connectionTokens(raw: RawHeaders): ReadonlySet<string> {
  const tokens = new Set<string>()
  for (const [name, value] of pairsOf(raw)) {
    if (name.toLowerCase() !== 'connection') continue
    for (const token of value.split(',')) tokens.add(token.trim().toLowerCase())
  }
  // These decide where a message goes and ends; no client may have them taken out.
  for (const needed of ['host', 'content-length', 'cookie', 'authorization']) tokens.delete(needed)
  return tokens
}

function modify(pairs: Pairs, modifier: HttpRouteFilter['requestHeaderModifier']): Pairs {
  if (!modifier) return pairs
  const gone = new Set(
    [...(modifier.remove ?? []), ...(modifier.set ?? []).map(({ name }) => name)].map(lower),
  )
  const next = pairs.filter(([name]) => !gone.has(lower(name)))
  for (const { name, value } of modifier.set ?? []) next.push([name, value])
  for (const { name, value } of modifier.add ?? []) {
    const known = next.find(([other]) => lower(other) === lower(name))
    if (known) known[1] = `${known[1]}, ${value}`
    else next.push([name, value])
  }
  return next
}

function lower(text: string): string {
  return text.toLowerCase()
}

export type Address = {
  readonly host: string
  readonly port: number
  readonly path: string
  readonly query: string
  readonly matchedPrefix: string
}

/** The path and query for the instance, after a URLRewrite. */
export function rewrittenTarget(
  target: string,
  address: Address,
  filters: readonly HttpRouteFilter[],
): string {
  const change = filters.find((filter) => filter.urlRewrite?.path !== undefined)?.urlRewrite?.path
  if (!change) return target
  const path = changedPath(address, change)
  return address.query === '' ? path : `${path}?${address.query}`
}

/** Where a RequestRedirect sends the client. */
export function redirectTarget(
  address: Address,
  redirect: NonNullable<HttpRouteFilter['requestRedirect']>,
): string {
  const scheme = redirect.scheme ?? 'http'
  const standard = scheme === 'https' ? 443 : 80
  const port = redirect.port ?? (redirect.scheme === undefined ? address.port : standard)
  const host = redirect.hostname ?? address.host
  const path = redirect.path ? changedPath(address, redirect.path) : address.path
  const query = address.query === '' ? '' : `?${address.query}`
  return `${scheme}://${host}${port === standard ? '' : `:${port}`}${path}${query}`
}

function changedPath(
  address: Address,
  change: NonNullable<NonNullable<HttpRouteFilter['urlRewrite']>['path']>,
): string {
  if (change.type === 'ReplaceFullPath') return change.replaceFullPath ?? '/'
  const prefix = address.matchedPrefix === '/' ? '' : address.matchedPrefix
  const rest = address.path.slice(prefix.length)
  const joined = `${(change.replacePrefixMatch ?? '').replace(/\/+$/, '')}${rest.startsWith('/') || rest === '' ? rest : `/${rest}`}`
  return joined === '' ? '/' : joined
}
