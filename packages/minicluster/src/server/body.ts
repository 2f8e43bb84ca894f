import type { IncomingMessage } from 'node:http'

import { messageOf, parseJson } from '@slipway/kit'
import { parseDocument } from 'yaml'

import { statusErrors, StatusError } from '../errors.ts'
import { decodeProtobuf } from '../protobuf/index.ts'
import type { JsonObject } from '../schema/json.ts'

const BODY_MAX_BYTES = 3 * 1024 * 1024
export const PROTOBUF = 'application/vnd.kubernetes.protobuf'
export const YAML_TYPES: ReadonlySet<string> = new Set([
  'application/yaml',
  'application/x-yaml',
  'text/yaml',
])

/** The media type without parameters; '' when absent. */
export function mediaTypeOf(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}

/**
 * Reads a body of at most 3 MiB.
 * @throws {StatusError} 413
 */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const tooLarge = (): StatusError =>
    new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${BODY_MAX_BYTES}`)
  if (Number(request.headers['content-length'] ?? 0) > BODY_MAX_BYTES) throw tooLarge()
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of request) {
    // No encoding is set on the request, so chunks are bytes.
    const bytes = chunk as Buffer
    sizeBytes += bytes.length
    if (sizeBytes > BODY_MAX_BYTES) throw tooLarge()
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}

/**
 * Decodes a body that holds one object, as JSON, YAML or protobuf.
 * @throws {StatusError} 400 for what is not an object, 415 for another type
 */
export function decodeObject(bytes: Buffer, mediaType: string): JsonObject {
  if (mediaType === PROTOBUF) return decodeProtobuf(bytes)
  const known = mediaType === '' || mediaType === 'application/json' || YAML_TYPES.has(mediaType)
  if (!known) throw unsupported(['application/json', 'application/yaml', PROTOBUF])
  const value = YAML_TYPES.has(mediaType) ? decodeYaml(bytes) : decodeJson(bytes)
  return objectIn(value)
}

/** @throws {StatusError} 400 */
export function decodeJson(bytes: Buffer): unknown {
  try {
    return parseJson(bytes.toString('utf8'))
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined
    throw statusErrors.badRequest(
      `the object provided is unrecognized (must be of type JSON): ${messageOf(cause ?? error)}`,
    )
  }
}

/**
 * YAML or JSON, as apply patches come.
 * @throws {StatusError} 400
 */
export function decodeYaml(bytes: Buffer): unknown {
  const text = bytes.toString('utf8')
  if (text.trimStart().startsWith('{')) return decodeJson(bytes)
  const document = parseDocument(text, { schema: 'core', uniqueKeys: false, merge: false })
  const [error] = document.errors
  if (error) throw statusErrors.badRequest(`error parsing YAML: ${error.message}`)
  try {
    // Aliases could make a small text huge; manifests do not need them. Once more as JSON for its limits.
    return decodeJson(Buffer.from(JSON.stringify(document.toJS({ maxAliasCount: 0 }))))
  } catch (cause) {
    if (cause instanceof StatusError) throw cause
    throw statusErrors.badRequest(`error parsing YAML: ${messageOf(cause)}`)
  }
}

/** @throws {StatusError} 400 */
export function objectIn(value: unknown): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  throw statusErrors.badRequest('the object provided is unrecognized: the body is not an object')
}

export function unsupported(accepted: readonly string[]): StatusError {
  return new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  )
}
