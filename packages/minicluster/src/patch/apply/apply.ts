/*
 * Server-side apply. Merge the applied object into the live one; take away what the manager applied last time, not now, and
 * what nobody else owns; then whoever else owned a field that changed is in conflict, unless forced, and loses it.
 * Source: the Kubernetes documentation of server-side apply and the behaviour of real servers.
 */
import { isRecord } from '@slipway/kit'

import { defaultObject } from '../../admission/index.ts'
import { resourceOf } from '../../admission/resources.ts'
import { StatusError, statusErrors } from '../../errors.ts'
import type { JsonObject } from '../../schema/json.ts'
import { objectOf, sameJson } from '../../schema/json.ts'
import { typeOf } from '../../schema/types.ts'
import { checkApplied } from './check.ts'
import type { FieldSet, Path } from './field-set.ts'
import {
  difference,
  differenceBelow,
  intersection,
  isEmpty,
  NO_FIELDS,
  pathsOf,
  printPath,
  union,
} from './field-set.ts'
import { setLastApplied, withoutLastApplied } from './last-applied.ts'
import type { Owner } from './managed.ts'
import {
  ignoredFields,
  isSameOwner,
  readOwners,
  secondsText,
  UNOWNED,
  withManagedFields,
  writeOwners,
} from './managed.ts'
import type { Shape } from './shape.ts'
import { compareFor, emptyOf, loseFields, moveFields, shapeOf } from './update.ts'
import type { Comparison } from './walk.ts'
import { fieldsIn, mergeObjects, removeFields, withNamedParents } from './walk.ts'

export type ApplyRequest = {
  /** The object as it is kept now; undefined when the apply creates it. */
  readonly live: JsonObject | undefined
  readonly applied: JsonObject
  readonly manager: string
  /** Takes fields from other owners instead of failing. */
  readonly force: boolean
  /** '' for the object itself, else `status`, `scale`, …. */
  readonly subresource: string
  readonly now: Date
}

/** The manager that owns what was there before anybody applied. */
const FIRST_MANAGER = 'before-first-apply'

/**
 * Applies `applied` to `live`. The result is defaulted and carries its new managedFields; when nothing but times would change
 * it is `live` itself and `changed` is false.
 * @throws {StatusError} 409 with one FieldManagerConflict cause per field that another manager owns, 400 when the body
 *   carries managedFields, 500 in the words of a real server when it does not fit the schema.
 */
export function applyServerSide(request: ApplyRequest): {
  readonly object: JsonObject
  readonly changed: boolean
} {
  const { live, subresource } = request
  const applied = appliedPart(request.applied, subresource)
  if (objectOf(applied['metadata'])['managedFields'] !== undefined) {
    throw statusErrors.badRequest('metadata.managedFields must be nil')
  }
  const shape = shapeOf(applied)
  checkApplied(shape, applied)
  const before = withManagedFields(live ?? emptyOf(applied), [])
  const by: Omit<Owner, 'fields'> = {
    manager: request.manager,
    operation: 'Apply',
    apiVersion: typeOf(applied).apiVersion,
    subresource,
    time: secondsText(request.now),
  }
  const owners = knownOwners(request, shape)
  const { object, rest, own } = mergeApplied({ shape, before, applied, owners, by, request })
  const defaulted = defaultApplied(setLastApplied(object, applied, by))
  const unchanged = live !== undefined && sameJson(defaulted, before)
  const previous = owners.find((owner) => isSameOwner(owner, by))
  const time = unchanged ? previous?.time : by.time
  const entries = writeOwners([...rest, { ...by, time, fields: own }])
  const after = withManagedFields(defaulted, entries)
  // A field that is now owned by one more manager is a change, a later time alone is none.
  if (live !== undefined && unchanged && sameOwnership(live, after)) return { object: live, changed: false }
  const stamped = writeOwners([...rest, { ...by, fields: own }])
  return { object: withManagedFields(defaulted, stamped), changed: true }
}

function sameOwnership(live: JsonObject, after: JsonObject): boolean {
  const strip = (object: JsonObject) => readOwners(object)?.map((owner) => ({ ...owner, time: undefined }))
  const entries = (object: JsonObject) =>
    writeOwners(strip(object) ?? [])
      .map((entry) => JSON.stringify(entry))
      .sort()
  return sameJson(entries(live), entries(after))
}

/** The part of the body that counts: through `status` only the status, elsewhere everything else. */
function appliedPart(applied: JsonObject, subresource: string): JsonObject {
  if (subresource === 'status') {
    const { apiVersion, kind, metadata, status } = applied
    const { name, namespace, uid, resourceVersion, managedFields } = objectOf(metadata)
    const identity = { name, namespace, uid, resourceVersion, managedFields }
    const present = Object.fromEntries(Object.entries(identity).filter(([, value]) => value !== undefined))
    return { apiVersion, kind, metadata: present, ...(status === undefined ? {} : { status }) }
  }
  if (subresource !== '') return applied
  const { status: _ignored, ...rest } = applied
  return rest
}

function knownOwners({ live, now }: ApplyRequest, shape: Shape): readonly Owner[] {
  const owners = readOwners(live) ?? []
  if (live === undefined || owners.length > 0) return owners
  const comparison = compareFor(shape, emptyOf(live), withManagedFields(live, []), '')
  return moveFields([], comparison, {
    manager: FIRST_MANAGER,
    operation: 'Update',
    apiVersion: typeOf(live).apiVersion,
    subresource: '',
    time: secondsText(now),
  })
}

type Merge = {
  readonly shape: Shape
  readonly before: JsonObject
  readonly applied: JsonObject
  readonly owners: readonly Owner[]
  readonly by: Omit<Owner, 'fields'>
  readonly request: ApplyRequest
}

function mergeApplied(merge: Merge): {
  readonly object: JsonObject
  readonly rest: readonly Owner[]
  readonly own: FieldSet
} {
  const { shape, before, applied, owners, by, request } = merge
  const own = differenceBelow(fieldsIn(shape, applied), ignoredFields(by.subresource))
  const last = owners.find((owner) => isSameOwner(owner, by))
  const others = owners.filter((owner) => owner !== last)
  const merged = mergeObjects(shape, before, applied)
  const allOwned = others.map(({ fields }) => fields).reduce(union, own)
  const object = objectOf(removeUnapplied(shape, merged, last?.fields ?? NO_FIELDS, allOwned))
  const comparison = compareFor(shape, before, object, by.subresource)
  if (!request.force) refuseConflicts(others, comparison, request)
  const rest = others.map((owner) => loseFields(owner, comparison))
  return { object, rest, own: difference(own, UNOWNED) }
}

/** Takes away what was applied last time and is not owned by anybody now. */
function removeUnapplied(shape: Shape, merged: unknown, last: FieldSet, allOwned: FieldSet): unknown {
  if (isEmpty(last)) return merged
  const named = (fields: FieldSet): FieldSet => withNamedParents(shape, fields)
  const present = named(fieldsIn(shape, merged))
  const lastNamed = named(last)
  const bare = named(fieldsIn(shape, removeFields(shape, merged, lastNamed)))
  const withOwned = removeFields(shape, merged, difference(present, union(bare, named(allOwned))))
  const kept = named(fieldsIn(shape, withOwned))
  return removeFields(shape, merged, intersection(difference(present, kept), lastNamed))
}

function refuseConflicts(others: readonly Owner[], comparison: Comparison, request: ApplyRequest): void {
  const touched = withoutLastApplied(union(comparison.modified, comparison.added), request)
  const conflicts = others
    .flatMap((owner) => pathsOf(intersection(owner.fields, touched)).map((path) => ({ owner, path })))
    .toSorted((a, b) => (ownerText(a.owner) < ownerText(b.owner) ? -1 : 0))
  if (conflicts.length === 0) return
  throw new StatusError(409, 'Conflict', conflictText(conflicts), {
    causes: conflicts.map(({ owner, path }) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${ownerText(owner)}`,
      field: printPath(path),
    })),
  })
}

function conflictText(conflicts: readonly { readonly owner: Owner; readonly path: Path }[]): string {
  const [only, second] = conflicts
  if (only && !second) {
    return `Apply failed with 1 conflict: conflict with ${ownerText(only.owner)}: ${printPath(only.path)}`
  }
  const byOwner = Map.groupBy(conflicts, ({ owner }) => ownerText(owner))
  const blocks = [...byOwner].map(([text, group]) =>
    [`conflicts with ${text}:`, ...group.map(({ path }) => `- ${printPath(path)}`)].join('\n'),
  )
  return `Apply failed with ${conflicts.length} conflicts: ${blocks.join('\n')}`
}

function ownerText({ manager, subresource, operation, apiVersion }: Owner): string {
  const through = subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`
  const using = operation === 'Update' ? ` using ${apiVersion}` : ''
  return `${JSON.stringify(manager)}${through}${using}`
}

function defaultApplied(object: JsonObject): JsonObject {
  const { apiVersion, kind } = typeOf(object)
  const resource = resourceOf(apiVersion, kind)
  if (resource === undefined || !isRecord(object['metadata'])) return object
  return defaultObject(resource, object)
}
