import { statusErrors, StatusError } from '../errors.ts'
import { unknownFields } from '../schema/index.ts'
import { objectOf, textOf, type JsonObject } from '../schema/json.ts'
import type { ResourceDefinition } from './resources.ts'

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore'

/** How a write is to be done, beside the object itself. */
export type WriteOptions = {
  /** Who owns the fields that this write sets. */
  readonly manager: string
  /** '' for the object itself. */
  readonly subresource?: string
  readonly dryRun?: boolean
  readonly fieldValidation?: FieldValidation
  /** Receives what the client should be told although the write succeeds. */
  readonly warn?: (message: string) => void
}

/** Where an object is looked for. */
export type Target = {
  readonly definition: ResourceDefinition
  readonly namespace: string | undefined
  readonly name: string
}

export function qualified({ plural, group }: ResourceDefinition): string {
  return group === '' ? plural : `${plural}.${group}`
}

/**
 * Checks that a body is of the wanted kind and in the wanted place and treats fields that the kind does not have: refused,
 * reported or dropped.
 * @throws {StatusError} 400
 */
export function acceptBody(
  definition: ResourceDefinition,
  namespace: string | undefined,
  body: JsonObject,
  options: WriteOptions,
): JsonObject {
  const apiVersion = textOf(body['apiVersion']) || definition.apiVersion
  const kind = textOf(body['kind']) || definition.kind
  if (apiVersion !== definition.apiVersion)
    throw statusErrors.badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${definition.apiVersion})`,
    )
  if (kind !== definition.kind)
    throw statusErrors.badRequest(
      `${kind} in version "${definition.version}" cannot be handled as a ${definition.kind}: no kind "${kind}" is registered for this resource`,
    )
  const metadata = objectOf(body['metadata'])
  const stated = textOf(metadata['namespace'])
  if (stated !== '' && stated !== (namespace ?? ''))
    throw statusErrors.badRequest(
      `the namespace of the provided object does not match the namespace sent on the request`,
    )
  const known = checkFields(definition, { ...body, apiVersion, kind }, options)
  return namespace === undefined || stated !== '' ? known : { ...known, metadata: { ...metadata, namespace } }
}

function checkFields(definition: ResourceDefinition, body: JsonObject, options: WriteOptions): JsonObject {
  if (options.fieldValidation === undefined) return body
  const unknown = unknownFields(definition.apiVersion, definition.kind, body)
  if (unknown.length === 0) return body
  if (options.fieldValidation === 'Strict')
    throw statusErrors.badRequest(
      `${definition.kind} in version "${definition.version}" cannot be handled as a ${definition.kind}: strict decoding error: ${unknown.join(', ')}`,
    )
  if (options.fieldValidation === 'Warn') unknown.forEach((message) => options.warn?.(message))
  return unknown.reduce((object, message) => {
    const path = /^unknown field "(.*)"$/s.exec(message)?.[1]
    return path === undefined ? object : objectOf(dropPath(object, path))
  }, body)
}

/** A copy without the field at a path such as `spec.containers[0].foo`; the same value when there is none. */
function dropPath(value: unknown, path: string): unknown {
  const index = /^\[(\d+)\]\.?(.*)$/s.exec(path)
  if (index && Array.isArray(value)) {
    const items: readonly unknown[] = value
    return items.map((item, at) => (at === Number(index[1]) ? dropPath(item, index[2] ?? '') : item))
  }
  const object = objectOf(value)
  // The last field may itself contain dots, so the whole rest is tried first.
  if (Object.hasOwn(object, path)) {
    const { [path]: _, ...rest } = object
    return rest
  }
  const key = Object.keys(object).find((one) => path.startsWith(`${one}.`) || path.startsWith(`${one}[`))
  if (key === undefined) return value
  return { ...object, [key]: dropPath(object[key], path.slice(key.length).replace(/^\./, '')) }
}

/**
 * Checks the identity that a body claims against the object it is to replace.
 * @throws {StatusError} 400 for another name, 409 for another uid or a stale version
 */
export function checkIdentity({ definition, name }: Target, body: JsonObject, old: JsonObject): void {
  const metadata = objectOf(body['metadata'])
  const kept = objectOf(old['metadata'])
  const stated = textOf(metadata['name'])
  if (stated !== '' && stated !== name)
    throw statusErrors.badRequest(
      `the name of the object (${stated}) does not match the name on the URL (${name})`,
    )
  const uid = textOf(metadata['uid'])
  if (uid !== '' && uid !== kept['uid'])
    throw new StatusError(
      409,
      'Conflict',
      `Operation cannot be fulfilled on ${qualified(definition)} "${name}": StorageError: invalid object, Code: 4, Key: ${name}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${textOf(kept['uid'])}`,
      { name, group: definition.group, kind: definition.plural },
    )
  const version = textOf(metadata['resourceVersion'])
  if (version !== '' && version !== kept['resourceVersion'])
    throw statusErrors.conflict(
      definition.plural,
      definition.group,
      name,
      'the object has been modified; please apply your changes to the latest version and try again',
    )
}
