import type { Endpoint, Scope, Stream } from '@slipway/contract'
import { assert, must } from '@slipway/kit'

import type { Account } from '../context.ts'
import { databaseScopeOf, decide, leastRoleWith, type Place } from '../modules/access/index.ts'
import type { Db } from '../tables.ts'
import { httpErrors } from './errors.ts'

/** Where an object of each scope belongs; undefined when the caller's database scope does not show it. */
export type PlaceFinder = (db: Db, id: string) => Promise<Place | undefined>
export type PlaceFinders = Readonly<Partial<Record<Exclude<Scope, 'installation' | 'visible'>, PlaceFinder>>>

/** What a request is about, once it may be. */
export type Target = {
  /** `<scope>:<id>`, or empty. */
  readonly target: string
  readonly place: Place
}

export const nowhere: Place = { organizationId: null, projectId: null }

type Operation =
  | Pick<Endpoint, 'permission' | 'scope' | 'path'>
  | Pick<Stream, 'permission' | 'scope' | 'path'>

/** The scope of the transaction that serves an account. */
export function scopeOf(account: Account): 'all' | { readonly organizations: readonly string[] } {
  const organizations = databaseScopeOf(account.access)
  return organizations === 'all' ? 'all' : { organizations }
}

/** The id of the object an operation is about, from its path. */
export function targetIdOf(operation: Operation, params: unknown): string | undefined {
  if (operation.scope === undefined || operation.scope === 'installation' || operation.scope === 'visible')
    return undefined
  const id = (params as Readonly<Record<string, unknown>>)[operation.scope]
  assert(typeof id === 'string', `the path of ${operation.path} names its ${operation.scope}`)
  return id
}

/**
 * Decides whether the caller may do this.
 * What one may not see and what does not exist look the same: 404, by the same way through the code.
 * @throws {AppError} `not_found`, `permission_missing`
 */
export async function authorize(
  db: Db,
  finders: PlaceFinders,
  account: Account,
  request: { readonly operation: Operation; readonly params: unknown },
): Promise<Target> {
  const { permission, scope } = request.operation
  if (permission === 'public' || permission === 'self' || scope === 'visible')
    return { target: '', place: nowhere }
  if (scope === 'installation') {
    if (decide(account.access, permission, nowhere) !== 'allowed')
      throw httpErrors.permission_missing({ permission, role: leastRoleWith(permission, nowhere) })
    return { target: '', place: nowhere }
  }
  assert(scope !== undefined, 'a permission has a scope')
  const id = must(targetIdOf(request.operation, request.params), 'a scope has an id')
  const finder = must(finders[scope], `somebody finds a ${scope}`)
  const place = await finder(db, id)
  if (place === undefined) throw httpErrors.not_found()
  const decision = decide(account.access, permission, place)
  if (decision === 'unknown') throw httpErrors.not_found()
  if (decision === 'missing')
    throw httpErrors.permission_missing({ permission, role: leastRoleWith(permission, place) })
  return { target: `${scope}:${id}`, place }
}
