import type { StatusCause } from '../errors.ts'
import type { Resource } from '../model.ts'
import { completeCustom, customSchemaOf } from '../schema/custom.ts'
import type { JsonObject } from '../schema/json.ts'
import { normalizeObject } from '../schema/normalize.ts'
import { isCustom } from '../schema/types.ts'
import { completeStructure } from './defaults.ts'
import { identityOf } from './resources.ts'

/**
 * Fills in what the API server fills in for absent fields, and brings every value into its one spelling: unknown and empty
 * fields go, quantities and times are canonical. Doing it twice changes nothing. The object may lack apiVersion and kind.
 * Parts of a Job that carry its uid are filled in once `metadata.uid` is set.
 * @throws {StatusError} 400 when a value has the wrong type.
 */
export function defaultObject<T extends JsonObject>(resource: Resource, object: T): T {
  const { apiVersion, kind } = identityOf(resource, object)
  const identified = { ...object, apiVersion, kind }
  const completed = isCustom(apiVersion)
    ? defaultCustom(kind, identified)
    : normalizeObject(identified, completeStructure)
  // Filling in optional fields does not change the type of the object.
  return completed as T
}

function defaultCustom(kind: string, object: JsonObject): JsonObject {
  const schema = customSchemaOf(kind)
  const normalized = normalizeObject(object)
  return schema ? completeCustom(schema, normalized) : normalized
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
