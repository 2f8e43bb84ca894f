import type { JsonObject } from '../../schema/json.ts'
import { objectOf, textOf } from '../../schema/json.ts'
import { emptyObject } from '../../schema/normalize.ts'
import { isCustom, structureOf, typeOf } from '../../schema/types.ts'
import { difference, differenceBelow, intersection, isEmpty, NO_FIELDS, union } from './field-set.ts'
import type { ManagedFields, Owner } from './managed.ts'
import {
  foldOldOwners,
  ignoredFields,
  isSameOwner,
  readOwners,
  secondsText,
  UNOWNED,
  writeOwners,
} from './managed.ts'
import type { Shape } from './shape.ts'
import { DEDUCED, shapeOfStructure } from './shape.ts'
import type { Comparison } from './walk.ts'
import { compareObjects } from './walk.ts'

export type UpdateRecord = {
  /** The object before the write; undefined when the write creates it. */
  readonly before: JsonObject | undefined
  /** The object after it, defaulted; its managedFields are the ones the client sent. */
  readonly after: JsonObject
  readonly manager: string
  /** '' for the object itself, else `status`, `scale`, …. */
  readonly subresource: string
  readonly now: Date
}

/**
 * The managedFields of an object after an ordinary write: what the write added or changed belongs to its manager, what it
 * removed belongs to nobody. A write that changes nothing keeps all entries and times. A client may take entries away: one
 * empty entry (or an empty list) clears them, and an object without entries stays so until it is applied.
 */
export function recordUpdate(record: UpdateRecord): readonly ManagedFields[] {
  const { before, after, subresource } = record
  const owners = ownersSent(before, after, subresource)
  if (owners.length === 0 && before !== undefined) return []
  const by = {
    manager: record.manager === '' ? 'unknown' : record.manager,
    operation: 'Update',
    apiVersion: typeOf(after).apiVersion,
    subresource,
  } as const
  const shape = shapeOf(after)
  const comparison = compareFor(shape, before ?? emptyOf(after), after, subresource)
  return writeOwners(foldOldOwners(moveFields(owners, comparison, { ...by, time: secondsText(record.now) })))
}

function ownersSent(
  before: JsonObject | undefined,
  after: JsonObject,
  subresource: string,
): readonly Owner[] {
  const sent = objectOf(after['metadata'])['managedFields']
  if (subresource !== '') return readOwners(before) ?? []
  if (Array.isArray(sent) && (sent.length === 0 || isClearing(sent))) return []
  const owners = readOwners(after)
  return owners === undefined || owners.length === 0 ? (readOwners(before) ?? []) : owners
}

function isClearing(sent: readonly unknown[]): boolean {
  return (
    sent.length === 1 && Object.values(objectOf(sent[0])).every((value) => value === '' || value === null)
  )
}

/** Moves what a write changed to `by`; everybody loses what it removed. */
export function moveFields(
  owners: readonly Owner[],
  comparison: Comparison,
  by: Omit<Owner, 'fields'>,
): readonly Owner[] {
  const taken = difference(union(comparison.modified, comparison.added), UNOWNED)
  const rest = owners.map((owner) => loseFields(owner, comparison))
  if (isEmpty(taken)) return rest
  const mine = rest.find((owner) => isSameOwner(owner, by))
  const others = rest.filter((owner) => owner !== mine)
  return [...others, { ...by, fields: union(mine?.fields ?? NO_FIELDS, taken) }]
}

/** The owner without what another one changed or removed. */
export function loseFields(owner: Owner, comparison: Comparison): Owner {
  const lost = intersection(owner.fields, union(comparison.modified, comparison.added))
  return { ...owner, fields: difference(difference(owner.fields, lost), comparison.removed) }
}

/** Compares two states, leaving out what a write through this subresource cannot change. */
export function compareFor(
  shape: Shape,
  before: JsonObject,
  after: JsonObject,
  subresource: string,
): Comparison {
  const { added, modified, removed } = compareObjects(shape, before, after)
  const ignored = ignoredFields(subresource)
  return {
    added: differenceBelow(added, ignored),
    modified: differenceBelow(modified, ignored),
    removed: differenceBelow(removed, ignored),
  }
}

export function shapeOf(object: JsonObject): Shape {
  const { apiVersion, kind } = typeOf(object)
  const structure = structureOf(apiVersion, kind)
  return structure ? shapeOfStructure(structure) : DEDUCED
}

/** What stands for the object before it is created: for built-in kinds the parts that are always there. */
export function emptyOf(object: JsonObject): JsonObject {
  const { apiVersion, kind } = typeOf(object)
  const identity = { apiVersion: textOf(apiVersion), kind }
  const structure = structureOf(apiVersion, kind)
  return structure && !isCustom(apiVersion) ? { ...identity, ...emptyObject(structure) } : identity
}
