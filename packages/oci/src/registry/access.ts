import { RegistryError } from './errors.ts'
import type { Caller, Exchange, RegistryOptions } from './context.ts'
import type { RegistryAction } from './ports.ts'
import { grantedActions, parseScopes, type TokenAccess } from './token.ts'

/*
 * Login and rights. What the caller may not pull looks exactly like what does not exist: an anonymous caller is asked to log
 * in either way, a known one gets 404 either way. Only who may pull learns that pushing is denied.
 */
const ANONYMOUS: Caller = { subject: undefined, access: undefined, isPresent: false }
const AUTHORIZATION_MAX = 24 * 1024

/** @throws {RegistryError} 401 when credentials are given and do not hold */
export async function identify(options: RegistryOptions, request: Request, url: URL): Promise<Caller> {
  const header = request.headers.get('authorization')
  if (header === null || header === '') return ANONYMOUS
  const [scheme = '', value = ''] = header.slice(0, AUTHORIZATION_MAX).split(' ')
  switch (scheme.toLowerCase()) {
    case 'bearer': {
      const claims = options.login.tokens.verify(value)
      if (claims) return { ...claims, isPresent: true }
      throw challenge(options, url, { error: 'invalid_token' })
    }
    case 'basic': {
      const subject = await basicSubject(options, value)
      if (subject) return { subject, access: undefined, isPresent: true }
      throw challenge(options, url, {})
    }
    default:
      throw challenge(options, url, {})
  }
}

async function basicSubject(options: RegistryOptions, value: string) {
  const text = Buffer.from(value, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 1 || text.length > 8_192 || text.includes('\0')) return undefined
  return await options.authenticate({ username: text.slice(0, colon), password: text.slice(colon + 1) })
}

/** The 401 that starts a login. */
export function challenge(
  options: RegistryOptions,
  url: URL,
  more: { readonly scope?: string; readonly error?: string },
): RegistryError {
  const { login } = options
  const realm = login.realm.startsWith('/') ? `${url.origin}${login.realm}` : login.realm
  const params = [`realm="${realm}"`, `service="${login.service}"`]
  if (more.scope !== undefined) params.push(`scope="${more.scope}"`)
  if (more.error !== undefined) params.push(`error="${more.error}"`)
  return new RegistryError('UNAUTHORIZED', 'log in first', {
    headers: { 'www-authenticate': `Bearer ${params.join(',')}` },
  })
}

/** @throws {RegistryError} 401, 403, or 404 for what the caller may not know */
export async function requireAccess(
  exchange: Exchange,
  repository: string,
  action: RegistryAction,
): Promise<void> {
  const { options, caller, url } = exchange
  const granted = await options.authorize(caller.subject, repository)
  const inToken = caller.access === undefined || holds(caller.access, repository, action)
  if (granted.includes(action) && inToken) return
  const scope = `repository:${repository}:${action === 'push' ? 'pull,push' : action}`
  if (caller.subject === undefined) throw challenge(options, url, { scope })
  if (granted.includes(action)) throw challenge(options, url, { scope, error: 'insufficient_scope' })
  if (!granted.includes('pull')) throw unknownRepository()
  throw new RegistryError('DENIED', `you may not ${action} here`)
}

/** Whether the caller may pull from `repository`, for things that must look absent otherwise. */
export async function mayPull(exchange: Exchange, repository: string): Promise<boolean> {
  const { options, caller } = exchange
  const granted = await options.authorize(caller.subject, repository)
  return granted.includes('pull') && (caller.access === undefined || holds(caller.access, repository, 'pull'))
}

function holds(access: readonly TokenAccess[], repository: string, action: RegistryAction): boolean {
  return access.some(
    (entry) => entry.type === 'repository' && entry.name === repository && entry.actions.includes(action),
  )
}

export function unknownRepository(): RegistryError {
  return new RegistryError('NAME_UNKNOWN', 'there is no such repository')
}

/** The token endpoint: what is asked for and granted goes into the token, the rest is left out without a word. */
export async function issueToken(exchange: Exchange): Promise<Response> {
  const { options, caller, url, request } = exchange
  if (request.method !== 'GET')
    throw new RegistryError('UNSUPPORTED', 'ask for a token by GET', {
      status: 405,
      headers: { allow: 'GET' },
    })
  // A token must not beget a longer-lived one.
  if (caller.isPresent && caller.access !== undefined)
    throw challenge(options, url, { error: 'invalid_request' })
  const access: TokenAccess[] = []
  for (const scope of parseScopes(url.searchParams.getAll('scope'))) {
    const actions =
      scope.type === 'repository'
        ? grantedActions(scope.actions, await options.authorize(caller.subject, scope.name))
        : []
    if (actions.length > 0) access.push({ ...scope, actions })
  }
  const { token, issuedAt, expiresInSeconds } = options.login.tokens.sign({ subject: caller.subject, access })
  const reply = {
    token,
    access_token: token,
    expires_in: expiresInSeconds,
    issued_at: issuedAt.toISOString(),
  }
  return Response.json(reply, { headers: { 'cache-control': 'no-store' } })
}
