import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

import { statusErrors } from '../errors.ts'
import type { View } from '../store/index.ts'
import type { ServerKeys } from './keys.ts'
import type { ApiRequest } from './route.ts'
import { readToken } from './tokens.ts'

/** Who asks. */
export type User = {
  readonly name: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

const ADMIN: User = { name: 'slipway-admin', groups: ['system:masters', 'system:authenticated'] }
const HEADER_VALUES_MAX = 64

/**
 * Who sent the request; undefined without credentials.
 * @throws {StatusError} 401 for credentials that are not valid, 403 for impersonation by anyone but the administrator
 */
export function authenticate(
  request: IncomingMessage,
  context: { readonly keys: ServerKeys; readonly view: View; readonly now: Date },
): User | undefined {
  const { authorization } = request.headers
  if (authorization === undefined) return undefined
  const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? ''
  const user = equalSecret(token, context.keys.adminToken) ? ADMIN : accountOf(token, context)
  if (!user) throw statusErrors.unauthorized()
  return impersonated(request, user)
}

function accountOf(
  token: string,
  context: { readonly keys: ServerKeys; readonly view: View; readonly now: Date },
): User | undefined {
  const account = readToken(token, context)
  return account && accountUser(account.namespace, account.name, account.uid)
}

function accountUser(namespace: string, name: string, uid: string | undefined): User {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    ...(uid === undefined ? {} : { uid }),
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  }
}

/** Hashed first, so that neither the length nor the place of a difference shows in the time taken. */
function equalSecret(a: string, b: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(a), hash(b))
}

function impersonated(request: IncomingMessage, user: User): User {
  const name = request.headers['impersonate-user']
  const groups = valuesOf(request, 'impersonate-group')
  if (name === undefined) {
    if (groups.length > 0) throw statusErrors.badRequest('requested groups without impersonating a user')
    return user
  }
  if (!isAdmin(user))
    throw statusErrors.forbidden(
      `users "${String(name)}" is forbidden: User "${user.name}" cannot impersonate resource "users" in API group "" at the cluster scope`,
    )
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(String(name))
  if (account?.[1] && account[2]) return accountUser(account[1], account[2], undefined)
  const extra = Object.keys(request.headers)
    .filter((header) => header.startsWith('impersonate-extra-'))
    .slice(0, HEADER_VALUES_MAX)
    .map((header): [string, string[]] => [
      decodeURIComponent(header.slice('impersonate-extra-'.length)),
      valuesOf(request, header),
    ])
  return {
    name: String(name),
    groups: [...groups, 'system:authenticated'],
    ...(extra.length === 0 ? {} : { extra: Object.fromEntries(extra) }),
  }
}

/** Repeated headers keep their own values, which `request.headers` would join. */
function valuesOf(request: IncomingMessage, name: string): string[] {
  return (request.headersDistinct[name] ?? []).slice(0, HEADER_VALUES_MAX)
}

export function isAdmin(user: User): boolean {
  return user.groups.includes('system:masters')
}

/** What is asked for, in the words of an access review. */
export type Attributes = {
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
}

const READING = new Set(['get', 'list', 'watch'])
const SELF_REVIEWS = new Set(['selfsubjectreviews', 'selfsubjectaccessreviews', 'selfsubjectrulesreviews'])

/**
 * Until there are roles: the administrator may do everything; a ServiceAccount reads its own namespace, without Secrets and
 * without the subresources through which it could act; whoever the administrator stands in for may only ask about itself.
 */
export function isAllowed(user: User, { verb, resource, subresource, namespace }: Attributes): boolean {
  if (isAdmin(user)) return true
  if (SELF_REVIEWS.has(resource)) return verb === 'create'
  const own = accountNamespace(user)
  if (own === undefined) return false
  if (!READING.has(verb) || namespace !== own || resource === 'secrets') return false
  return subresource === '' || subresource === 'status' || subresource === 'scale' || subresource === 'log'
}

/** The namespace of a ServiceAccount; undefined for other users. */
export function accountNamespace(user: User): string | undefined {
  return /^system:serviceaccount:([^:]+):/.exec(user.name)?.[1]
}

/** @throws {StatusError} 401 without credentials, 403 */
export function authorize(
  user: User | undefined,
  request: ApiRequest,
  attributes: Attributes | undefined,
): User {
  if (!user) throw statusErrors.unauthorized()
  if (!attributes || isAllowed(user, attributes)) return user
  const { verb, group, namespace, name } = attributes
  const resource =
    attributes.subresource === '' ? attributes.resource : `${attributes.resource}/${attributes.subresource}`
  const object = name === '' ? '' : ` "${name}"`
  const place = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`
  throw statusErrors.forbidden(
    `${attributes.resource}${group === '' ? '' : `.${group}`}${object} is forbidden: User "${user.name}" cannot ${verb} resource "${resource}" in API group "${group}" ${place}`,
    { ...(name === '' ? {} : { name }), group, kind: request.plural },
  )
}
