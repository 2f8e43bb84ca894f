import { statusErrors } from '../errors.ts'
import type { JsonObject } from '../schema/json.ts'

export function decodeProtobuf(_bytes: Uint8Array): JsonObject {
  throw statusErrors.badRequest('the body is not a Kubernetes protobuf message')
}
