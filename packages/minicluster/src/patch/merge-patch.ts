import { isRecord } from '@slipway/kit'

import { statusErrors } from '../errors.ts'
import type { JsonObject } from '../schema/json.ts'

/**
 * Applies a JSON merge patch (RFC 7386) and returns the new object: null removes, objects merge, all else replaces.
 * @throws {StatusError} 400 when the patch is not an object.
 */
export function mergePatch(target: JsonObject, patch: unknown): JsonObject {
  if (!isRecord(patch)) throw statusErrors.badRequest('a merge patch must be an object')
  return mergeObjects(target, patch)
}

function mergeObjects(target: unknown, patch: JsonObject): JsonObject {
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else if (isRecord(value)) result[key] = mergeObjects(result[key], value)
    else result[key] = value
  }
  return result
}
