import type { JsonObject } from './json.ts'

/**
 * What strict decoding says about fields that the kind does not have, in the real server's words and in the order of the
 * object: `unknown field "spec.foo"`. Empty for kinds without a schema.
 */
export function unknownFields(_apiVersion: string, _kind: string, _object: JsonObject): string[] {
  return []
}
