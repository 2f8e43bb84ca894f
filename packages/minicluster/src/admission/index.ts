import type { StatusCause } from '../errors.ts'
import type { Resource } from '../model.ts'
import type { JsonObject } from '../schema/json.ts'
import { normalizeObject } from '../schema/normalize.ts'

/** Fills in what the API server fills in for absent fields, and brings every value into its one spelling. */
export function defaultObject<T extends JsonObject>(_resource: Resource, object: T): T {
  // The form of the kind is not changed by filling in its optional fields.
  return normalizeObject(object) as T
}

/** What is wrong with a defaulted object, in the API server's words; empty when it may be kept. `old` is set on updates. */
export function validateObject(
  _resource: Resource,
  _object: JsonObject,
  _old: JsonObject | undefined,
): StatusCause[] {
  return []
}

/** How a pod breaks the Pod Security level `restricted`, one phrase per control; empty when it does not. */
export function podSecurityViolations(_podSpec: JsonObject): string[] {
  return []
}
