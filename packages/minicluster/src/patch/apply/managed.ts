/* Reading and writing `metadata.managedFields`: who owns which fields, by manager, operation, subresource and version. */
import { isRecord } from '@slipway/kit'

import type { JsonObject } from '../../schema/json.ts'
import { listOf, objectOf, without } from '../../schema/json.ts'
import type { FieldSet, Path } from './field-set.ts'
import { decodeFields, encodeFields, fieldsOf, isEmpty, union } from './field-set.ts'

/** One entry of `metadata.managedFields`. */
export type ManagedFields = {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly time?: string
  readonly fieldsType: 'FieldsV1'
  readonly fieldsV1: JsonObject
  readonly subresource?: string
}

export type Owner = {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
  readonly time: string | undefined
  readonly fields: FieldSet
}

/** A real server folds the oldest Update managers above this count into one. */
const UPDATE_MANAGERS_MAX = 10
const OLD_MANAGER = 'ancient-changes'

/** What no manager owns: identity, and what the server itself writes. */
export const UNOWNED: FieldSet = fieldsOf(
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map((name): Path => ['f:metadata', `f:${name}`]),
)

/** The field sets that writes through a subresource (or past it) cannot touch. */
export function ignoredFields(subresource: string): FieldSet {
  if (subresource === 'status') return fieldsOf(['f:spec'], ['f:data'], ['f:metadata', 'f:labels'])
  return subresource === '' ? fieldsOf(['f:status']) : fieldsOf()
}

/** The owners that an object records; undefined when the entries are not valid, which a real server treats as none. */
export function readOwners(object: JsonObject | undefined): readonly Owner[] | undefined {
  const owners = listOf(objectOf(object?.['metadata'])['managedFields']).map(ownerOf)
  return owners.every((owner) => owner !== undefined) ? owners : undefined
}

function ownerOf(entry: unknown): Owner | undefined {
  if (!isRecord(entry)) return undefined
  const { manager, operation, apiVersion, subresource, time, fieldsType, fieldsV1 } = entry
  const fields = decodeFields(fieldsV1 ?? {})
  if (operation !== 'Apply' && operation !== 'Update') return undefined
  if (typeof apiVersion !== 'string' || apiVersion === '' || fieldsType !== 'FieldsV1' || !fields)
    return undefined
  return {
    manager: typeof manager === 'string' ? manager : '',
    operation,
    apiVersion,
    subresource: typeof subresource === 'string' ? subresource : '',
    time: typeof time === 'string' ? time : undefined,
    fields,
  }
}

/** The entries in the server's order: Apply before Update, then by time and name. Owners of nothing are left out. */
export function writeOwners(owners: readonly Owner[]): readonly ManagedFields[] {
  return owners
    .filter(({ fields }) => !isEmpty(fields))
    .toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1))
    .map((owner) => ({
      manager: owner.manager,
      operation: owner.operation,
      apiVersion: owner.apiVersion,
      ...(owner.time === undefined ? {} : { time: owner.time }),
      fieldsType: 'FieldsV1',
      fieldsV1: encodeFields(owner.fields),
      ...(owner.subresource === '' ? {} : { subresource: owner.subresource }),
    }))
}

function orderOf({ operation, time, manager, apiVersion, subresource }: Owner): string {
  return [operation, time ?? '', manager, apiVersion, subresource].join('\n')
}

/** True when both are the same manager doing the same thing; an applier stays itself across versions. */
export function isSameOwner(a: Omit<Owner, 'fields' | 'time'>, b: Omit<Owner, 'fields' | 'time'>): boolean {
  return (
    a.manager === b.manager &&
    a.operation === b.operation &&
    a.subresource === b.subresource &&
    (a.operation === 'Apply' || a.apiVersion === b.apiVersion)
  )
}

/** Folds the oldest Update managers into one bucket until at most ten are left. */
export function foldOldOwners(owners: readonly Owner[]): readonly Owner[] {
  const updaters = owners.filter(({ operation }) => operation === 'Update')
  const surplus = updaters.length - UPDATE_MANAGERS_MAX
  if (surplus <= 0) return owners
  const oldest = updaters.toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1)).slice(0, surplus + 1)
  const newest = oldest.at(-1)
  if (!newest) return owners
  const bucket: Owner = {
    ...newest,
    manager: OLD_MANAGER,
    subresource: '',
    fields: oldest.map(({ fields }) => fields).reduce(union),
  }
  return [...owners.filter((owner) => !oldest.includes(owner)), bucket]
}

/** The object with these entries as its managedFields; without the field when there are none. */
export function withManagedFields(object: JsonObject, entries: readonly ManagedFields[]): JsonObject {
  const metadata = without(objectOf(object['metadata']), 'managedFields')
  return { ...object, metadata: entries.length === 0 ? metadata : { ...metadata, managedFields: entries } }
}

/** RFC 3339 in whole seconds, as all times of the API but MicroTime. */
export function secondsText(now: Date): string {
  return `${now.toISOString().slice(0, 19)}Z`
}
