/*
 * Requests to the Kubernetes API as plain data: paths, queries, headers. Pure.
 */
import { KubeError } from './errors.ts'
import { type ResourceInfo, type ResourceName, resources } from './resources.ts'

/** The identity that the server is to use instead of ours; needs the right to impersonate. */
export type Impersonation = {
  readonly user: string
  readonly groups?: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

export type ApiRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query?: Query
  readonly accept?: string
  readonly contentType?: string
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number | undefined
  readonly impersonate?: Impersonation | undefined
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

/** Namespace and name of one object; the namespace is left out for cluster-wide resources. */
export type Target = { readonly namespace?: string | undefined; readonly name: string }

/**
 * Path of a collection, of an object in it, or of an object's subresource.
 * @throws {KubeError} `InvalidRequest` for names that would lead elsewhere, and for a namespace too many or too few
 */
export function pathOf(
  resource: ResourceName,
  target: { readonly namespace?: string | undefined; readonly name?: string | undefined },
  subresource?: string,
): string {
  const found = resources[resource]
  checkNamespace(found, target)
  const parts = [
    found.group === '' ? `/api/${found.version}` : `/apis/${found.group}/${found.version}`,
    ...(target.namespace === undefined ? [] : ['namespaces', segment(target.namespace)]),
    found.plural,
    ...(target.name === undefined ? [] : [segment(target.name)]),
    ...(subresource === undefined ? [] : [subresource]),
  ]
  return parts.join('/')
}

function checkNamespace(
  found: ResourceInfo,
  target: { readonly namespace?: string | undefined; readonly name?: string | undefined },
): void {
  if (!found.namespaced && target.namespace !== undefined)
    throw new KubeError(0, 'InvalidRequest', `${found.plural} are not namespaced`)
  if (found.namespaced && target.namespace === undefined && target.name !== undefined)
    throw new KubeError(0, 'InvalidRequest', `${found.kind} ${target.name} was named without its namespace`)
}

/** What the API allows as a part of a path: `..` or a slash would reach another object. */
function segment(name: string): string {
  if (name === '' || name === '.' || name === '..' || name.length > 253 || /[/%]/.test(name))
    throw new KubeError(0, 'InvalidRequest', `${JSON.stringify(name.slice(0, 100))} cannot be a name`)
  return encodeURIComponent(name)
}

/** `?a=b&c=d`, without what is undefined. */
export function queryOf(query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined)
  const text = new URLSearchParams(
    pairs.map(([name, value]): [string, string] => [name, String(value)]),
  ).toString()
  return text === '' ? '' : `?${text}`
}

/** @throws {KubeError} `InvalidRequest` for an identity that no header can carry */
export function impersonationHeaders(
  identity: Impersonation | undefined,
): Readonly<Record<string, string | string[]>> {
  if (!identity) return {}
  const extra = Object.entries(identity.extra ?? {}).map(
    ([key, values]) => [`impersonate-extra-${encodeURIComponent(key)}`, values.map(headerValue)] as const,
  )
  return {
    'impersonate-user': headerValue(identity.user),
    ...(identity.groups &&
      identity.groups.length > 0 && { 'impersonate-group': identity.groups.map(headerValue) }),
    ...Object.fromEntries(extra),
  }
}

function headerValue(text: string): string {
  if (!/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(text))
    throw new KubeError(0, 'InvalidRequest', `${JSON.stringify(text.slice(0, 100))} cannot be impersonated`)
  return text
}
