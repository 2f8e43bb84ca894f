import { isRecord, parseJson, type Clock } from '@slipway/kit'

import { ociErrors } from '../errors.ts'
import { readAll, type ByteStream } from '../streams.ts'

/*
 * Login of a registry client. The first 401 names the scheme; from then on each request asks for a header, and a Bearer token
 * that is about to end is renewed before it is used. A push may well outlive a token, so nobody holds one across requests.
 */

/** A user name with a password, a personal token or a robot's secret. */
export type RegistryCredentials = { readonly username: string; readonly password: string }

export type Challenge = { readonly scheme: string; readonly params: ReadonlyMap<string, string> }

const HEADER_MAX = 8_192
const TOKEN_REPLY_MAX_BYTES = 256 * 1024
const TOKENS_MAX = 256
/** What the token specification assumes when the reply does not say. */
const TOKEN_SECONDS_DEFAULT = 60
const RENEW_BEFORE_MS = 10_000

/** Parses `WWW-Authenticate`, which may hold several challenges; anything unreadable is left out. */
export function parseChallenges(header: string): readonly Challenge[] {
  if (header.length > HEADER_MAX) return []
  const challenges: { scheme: string; params: Map<string, string> }[] = []
  const token = /([A-Za-z0-9._~+/-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/g
  for (const match of header.matchAll(token)) {
    const [, name = '', quoted, bare] = match
    const value = quoted?.replaceAll(/\\(.)/g, '$1') ?? bare
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), params: new Map() })
    else challenges.at(-1)?.params.set(name.toLowerCase(), value)
  }
  return challenges
}

type Login =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'basic' }
  | { readonly kind: 'bearer'; readonly realm: URL; readonly service: string | undefined }

export type Authorizer = {
  /** The header for a request with these scopes; undefined before the first challenge or without credentials. */
  readonly headerFor: (scopes: readonly string[], signal: AbortSignal) => Promise<string | undefined>
  /** Learns from a 401; true when trying again makes sense. */
  readonly learn: (header: string | null, scopes: readonly string[]) => boolean
}

export type AuthorizerOptions = {
  readonly baseUrl: URL
  readonly credentials: RegistryCredentials | undefined
  readonly fetch: typeof globalThis.fetch
  readonly clock: Clock
}

export function authorizerOf(options: AuthorizerOptions): Authorizer {
  let login: Login = { kind: 'unknown' }
  const tokens = new Map<string, { readonly token: string; readonly renewAtMs: number }>()

  async function bearerFor(
    realm: URL,
    service: string | undefined,
    scopes: readonly string[],
    signal: AbortSignal,
  ) {
    const key = scopes.join(' ')
    const known = tokens.get(key)
    const nowMs = options.clock.monotonicMs()
    if (known && nowMs < known.renewAtMs) return known.token
    const fresh = await fetchToken(options, { realm, service, scopes, signal })
    // The oldest entry goes first; a client talks to few repositories at a time.
    if (tokens.size >= TOKENS_MAX) tokens.delete(tokens.keys().next().value ?? key)
    const lifeMs = fresh.seconds * 1_000
    tokens.set(key, {
      token: fresh.token,
      renewAtMs: nowMs + Math.max(lifeMs / 2, lifeMs - RENEW_BEFORE_MS),
    })
    return fresh.token
  }

  return {
    async headerFor(scopes, signal) {
      if (login.kind === 'bearer')
        return `Bearer ${await bearerFor(login.realm, login.service, scopes, signal)}`
      if (login.kind === 'basic' && options.credentials) return basicHeader(options.credentials)
      return undefined
    },
    learn(header, scopes) {
      const challenges = parseChallenges(header ?? '')
      const bearer = challenges.find((challenge) => challenge.scheme === 'bearer')
      if (bearer) {
        const knewBearer = login.kind === 'bearer' && !tokens.has(scopes.join(' '))
        tokens.delete(scopes.join(' '))
        login = {
          kind: 'bearer',
          realm: checkRealm(bearer.params.get('realm'), options),
          service: bearer.params.get('service'),
        }
        return !knewBearer
      }
      const mayUseBasic = challenges.some((challenge) => challenge.scheme === 'basic') && options.credentials
      const wasBasic = login.kind === 'basic'
      if (mayUseBasic) login = { kind: 'basic' }
      return mayUseBasic !== undefined && mayUseBasic !== false && !wasBasic
    },
  }
}

function basicHeader(credentials: RegistryCredentials): string {
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`, 'utf8').toString('base64')}`
}

/** The realm gets the credentials, so a registry reached by TLS may not send them elsewhere in the clear. */
function checkRealm(realm: string | undefined, options: AuthorizerOptions): URL {
  const url = URL.parse(realm ?? '', options.baseUrl.href)
  const refuse = (reason: string): Error =>
    ociErrors.registry_reply_invalid({ registry: options.baseUrl.host, reason })
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.username !== '')
    throw refuse('its login challenge names no usable realm')
  if (
    url.protocol === 'http:' &&
    url.origin !== options.baseUrl.origin &&
    options.baseUrl.protocol === 'https:'
  )
    throw refuse('its login realm is not encrypted')
  return url
}

type TokenRequest = {
  readonly realm: URL
  readonly service: string | undefined
  readonly scopes: readonly string[]
  readonly signal: AbortSignal
}

async function fetchToken(
  options: AuthorizerOptions,
  request: TokenRequest,
): Promise<{ readonly token: string; readonly seconds: number }> {
  const url = new URL(request.realm)
  if (request.service !== undefined) url.searchParams.set('service', request.service)
  for (const scope of request.scopes) url.searchParams.append('scope', scope)
  if (options.credentials) url.searchParams.set('account', options.credentials.username)
  const response = await options.fetch(url, {
    redirect: 'error',
    signal: request.signal,
    headers: options.credentials ? { authorization: basicHeader(options.credentials) } : {},
  })
  const registry = options.baseUrl.host
  const invalid = (reason: string): Error => ociErrors.registry_reply_invalid({ registry, reason })
  const body: ByteStream = response.body ?? emptyStream()
  const bytes = await readAll(body, TOKEN_REPLY_MAX_BYTES, () => invalid('its token reply is too large'))
  if (response.status === 401 || response.status === 403)
    throw ociErrors.registry_unauthorized({ registry, account: options.credentials?.username ?? 'anonymous' })
  if (response.status !== 200) throw invalid(`its login realm answered ${response.status}`)
  let reply: unknown
  try {
    reply = parseJson(bytes.toString('utf8'))
  } catch (cause) {
    throw ociErrors.registry_reply_invalid({ registry, reason: 'its token reply is not JSON' }, { cause })
  }
  const token = isRecord(reply) ? (reply['token'] ?? reply['access_token']) : undefined
  if (!isRecord(reply) || typeof token !== 'string' || !/^[\x21-\x7e]{1,16384}$/.test(token))
    throw invalid('its token reply has no token')
  const seconds = reply['expires_in']
  return { token, seconds: typeof seconds === 'number' && seconds > 0 ? seconds : TOKEN_SECONDS_DEFAULT }
}

export async function* emptyStream(): AsyncGenerator<Uint8Array> {
  // No bytes.
}
