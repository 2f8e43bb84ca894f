import { statusErrors, StatusError } from '../errors.ts'
import { unknownFields } from '../schema/index.ts'
import { objectOf, textOf, type JsonObject } from '../schema/json.ts'
import type { ResourceDefinition } from './resources.ts'

const MESSAGES_MAX = 100

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore'

/** A field as it stands in a body: `spec.containers[0].image`. */
export type KeyVisit = { readonly path: string; readonly isDuplicate: boolean }

/** Fields that stand in a body twice: in JSON every field in its order, in YAML what the decoder says of its lines. */
export type Duplicates =
  | { readonly form: 'json'; readonly keys: readonly KeyVisit[] }
  | { readonly form: 'yaml'; readonly lines: readonly string[] }

/** How a write is to be done, beside the object itself. */
export type WriteOptions = {
  /** Who owns the fields that this write sets. */
  readonly manager: string
  /** '' for the object itself. */
  readonly subresource?: string
  readonly dryRun?: boolean
  readonly fieldValidation?: FieldValidation
  /** What stands twice in the body, if anything does. */
  readonly duplicates?: Duplicates
  /** The object is what a patch made of it, which strict decoding then refuses. */
  readonly isPatched?: boolean
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
  if (unknown.length === 0 && !options.duplicates) return body
  if (options.fieldValidation === 'Strict') throw strictError(definition, body, { unknown, options })
  if (options.fieldValidation === 'Warn')
    messagesOf(definition, unknown, options.duplicates).forEach((message) => options.warn?.(message))
  return unknown.reduce((object, message) => {
    const path = unknownPath(message)
    return path === undefined ? object : objectOf(dropPath(object, path))
  }, body)
}

function strictError(
  definition: ResourceDefinition,
  body: JsonObject,
  { unknown, options }: { readonly unknown: readonly string[]; readonly options: WriteOptions },
): StatusError {
  const { duplicates } = options
  const parts =
    duplicates?.form === 'yaml'
      ? [`yaml: unmarshal errors:\n  ${duplicates.lines.join('\n  ')}`, ...unknown]
      : messagesOf(definition, unknown, duplicates)
  const text = `strict decoding error: ${parts.join(', ')}`
  if (options.isPatched !== true)
    return statusErrors.badRequest(
      `${definition.kind} in version "${definition.version}" cannot be handled as a ${definition.kind}: ${text}`,
    )
  const value = JSON.stringify(JSON.stringify(body))
  return statusErrors.invalid('', '', '', [
    { reason: 'FieldValueInvalid', field: 'patch', message: `Invalid value: ${value}: ${text}` },
  ])
}

/**
 * What strict decoding finds, one by one. Typed kinds are decoded in the order of the text, and nothing is looked at below an
 * unknown field; for custom ones the text is looked at first and the schema afterwards.
 */
function messagesOf(
  definition: ResourceDefinition,
  unknown: readonly string[],
  duplicates: Duplicates | undefined,
): readonly string[] {
  if (!duplicates) return unknown
  if (duplicates.form === 'yaml') return [...duplicates.lines, ...unknown]
  // The operations of a JSON patch are a list; they are told apart from the object that they change.
  const told = (path: string): string =>
    `${path.startsWith('[') ? 'json patch ' : ''}duplicate field "${path}"`
  const twice = duplicates.keys.filter(({ isDuplicate }) => isDuplicate)
  if (definition.custom) return [...new Set(twice.map(({ path }) => told(path))), ...unknown]
  const unknownPaths = new Set(unknown.map((message) => unknownPath(message) ?? message))
  const isBelow = (path: string): boolean =>
    [...unknownPaths].some(
      (outer) => path === outer || path.startsWith(`${outer}.`) || path.startsWith(`${outer}[`),
    )
  const messages = duplicates.keys.flatMap(({ path, isDuplicate }) => {
    if (unknownPaths.has(path)) return [`unknown field "${path}"`]
    return isDuplicate && !isBelow(path) ? [told(path)] : []
  })
  // A field is told once; what is unknown only in what a patch made of it comes last.
  return [...new Set([...messages, ...unknown])].slice(0, MESSAGES_MAX)
}

function unknownPath(message: string): string | undefined {
  return /^unknown field "(.*)"$/s.exec(message)?.[1]
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
