import type { JsonObject } from '../schema/json.ts'
import { sameJson } from '../schema/json.ts'
import { mergePatch } from './merge-patch.ts'

export { jsonPatch } from './json-patch.ts'
export { mergePatch } from './merge-patch.ts'

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

export function strategicMergePatch(
  target: JsonObject,
  patch: unknown,
  _apiVersion: string,
  _kind: string,
): JsonObject {
  return mergePatch(target, patch)
}

export type ApplyRequest = {
  /** The object as it is kept now; undefined when the apply creates it. */
  readonly live: JsonObject | undefined
  readonly applied: JsonObject
  readonly manager: string
  readonly force: boolean
  /** '' for the object itself, else `status`, `scale`, …. */
  readonly subresource: string
  readonly now: Date
}

export function applyServerSide(request: ApplyRequest): {
  readonly object: JsonObject
  readonly changed: boolean
} {
  const object = mergePatch(request.live ?? {}, request.applied)
  return { object, changed: !sameJson(object, request.live) }
}

export type UpdateRecord = {
  /** The object before the write; undefined when the write creates it. */
  readonly before: JsonObject | undefined
  /** The object after it, defaulted; its managedFields are the ones the client sent. */
  readonly after: JsonObject
  readonly manager: string
  readonly subresource: string
  readonly now: Date
}

export function recordUpdate(_record: UpdateRecord): readonly ManagedFields[] {
  return []
}
