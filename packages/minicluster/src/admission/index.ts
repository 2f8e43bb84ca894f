import type { StatusCause } from '../errors.ts'
import type { Resource } from '../model.ts'
import type { JsonObject } from '../schema/json.ts'

/** Fills in what the API server fills in for absent fields. Returns a new object (or the same when nothing is missing). */
export function defaultObject<T extends JsonObject>(_resource: Resource, object: T): T {
  return object
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
