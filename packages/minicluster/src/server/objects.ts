import type { Random } from '@slipway/kit'

import { StatusError, statusErrors } from '../errors.ts'
import type { AnyObject, DeleteOptions } from '../model.ts'
import { present } from '../registry/events.ts'
import { qualified, type FieldValidation, type Target, type WriteOptions } from '../registry/incoming.ts'
import type { ResourceDefinition, Verb } from '../registry/resources.ts'
import { scaleOf } from '../registry/scale.ts'
import type { Patch, Writes } from '../registry/writes.ts'
import { objectOf, textOf, type JsonObject } from '../schema/json.ts'
import type { Store } from '../store/index.ts'
import {
  decodeJson,
  decodeObject,
  decodeYaml,
  mediaTypeOf,
  objectIn,
  PROTOBUF,
  readBody,
  unsupported,
  YAML_TYPES,
} from './body.ts'
import { duplicateLines, keysWithDuplicates } from './duplicates.ts'
import { addWarning, isTrue, sendJson, sendPieces, type Exchange } from './exchange.ts'
import { encodeList, encodeOne, type View } from './forms.ts'
import { invalidOption, parseSelection, parseVersion, refuseFuture, type Lists } from './lists.ts'
import { chooseForm, PLAIN } from './negotiate.ts'
import type { ApiRequest } from './route.ts'
import type { WatchHub } from './watch.ts'

/** The verbs on kept objects, from HTTP to the registry and back. */
export type ObjectContext = {
  readonly store: Store
  readonly writes: Writes
  readonly lists: Lists
  readonly watches: WatchHub
  readonly now: () => Date
  readonly random: Random
}

const MANAGER_MAX_LENGTH = 128
const PATCH_TYPES = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
} as const

export async function handleObjects(
  context: ObjectContext,
  exchange: Exchange,
  verb: Verb,
  place: { readonly definition: ResourceDefinition; readonly api: ApiRequest },
): Promise<void> {
  const { definition, api } = place
  const target: Target = { definition, namespace: api.namespace, name: api.name ?? '' }
  switch (verb) {
    case 'list':
      return handleList(context, exchange, target)
    case 'watch':
      return handleWatch(context, exchange, target, api.name)
    case 'get':
      return handleGet(context, exchange, target, api.subresource)
    case 'create':
      return handleCreate(context, exchange, target)
    case 'update':
    case 'patch':
      return handleChange(context, exchange, target, { verb, subresource: api.subresource })
    case 'delete':
      return handleDelete(context, exchange, target)
    default:
      return handleDeleteCollection(context, exchange, target)
  }
}

function viewOf(context: ObjectContext, exchange: Exchange, definition: ResourceDefinition): View {
  const include = exchange.query.get('includeObject')
  return {
    definition,
    form: chooseForm(exchange.request.headers.accept),
    includeObject: include === 'None' || include === 'Object' ? include : 'Metadata',
    now: context.now(),
  }
}

async function handleList(
  context: ObjectContext,
  exchange: Exchange,
  { definition, namespace }: Target,
): Promise<void> {
  const view = viewOf(context, exchange, definition)
  const { objects, metadata } = context.lists.list(definition, namespace, exchange.query)
  if (exchange.request.method === 'HEAD') return sendJson(exchange.response, 200, Buffer.alloc(0))
  await sendPieces(exchange.response, encodeList(view, objects, metadata))
}

function handleWatch(
  context: ObjectContext,
  exchange: Exchange,
  { definition, namespace }: Target,
  name: string | undefined,
): void {
  const { query, response } = exchange
  const selection = parseSelection(definition, query)
  const version = parseVersion(query.get('resourceVersion'))
  const bookmarks = isTrue(query.get('allowWatchBookmarks'))
  const initial = initialEventsOf(query, bookmarks)
  if (version !== undefined) refuseFuture(context.store, version)
  const seconds = query.get('timeoutSeconds')
  if (seconds !== null && !/^\d{1,9}$/.test(seconds))
    throw statusErrors.badRequest(`invalid timeoutSeconds: ${JSON.stringify(seconds.slice(0, 32))}`)
  context.watches.watch(response, {
    view: viewOf(context, exchange, definition),
    namespace,
    selection: name === undefined ? selection : { ...selection, name },
    after:
      initial === true || version === 0
        ? undefined
        : initial === false
          ? (version ?? context.store.version())
          : version,
    bookmarks,
    announceEnd: initial === true,
    timeoutSeconds: seconds === null || seconds === '0' ? undefined : Number(seconds),
  })
}

/** Whether the watch begins with the state: asked for, refused, or left to the version. */
function initialEventsOf(query: URLSearchParams, bookmarks: boolean): boolean | undefined {
  const asked = query.get('sendInitialEvents')
  const match = query.get('resourceVersionMatch')
  if (asked === null) {
    if (match === null) return undefined
    throw invalidOption(
      'resourceVersionMatch',
      'Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
    )
  }
  if (match !== 'NotOlderThan')
    throw invalidOption(
      'resourceVersionMatch',
      'Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    )
  if (isTrue(asked) && !bookmarks)
    throw invalidOption('allowWatchBookmarks', 'Forbidden: sendInitialEvents requires allowWatchBookmarks')
  return isTrue(asked)
}

function handleGet(context: ObjectContext, exchange: Exchange, target: Target, subresource: string): void {
  const { definition, namespace, name } = target
  const object = context.store.get(definition.resource, namespace, name)
  if (!object) throw statusErrors.notFound(definition.plural, definition.group, name)
  if (subresource === 'scale') return sendJson(exchange.response, 200, scaleOf(object))
  sendJson(exchange.response, 200, encodeOne(viewOf(context, exchange, definition), object))
}

async function handleCreate(context: ObjectContext, exchange: Exchange, target: Target): Promise<void> {
  const { definition, namespace } = target
  const view = viewOf(context, exchange, definition)
  const bytes = await readBody(exchange.request)
  const mediaType = mediaTypeOf(exchange.request)
  const body = decodeObject(bytes, mediaType)
  const options = withDuplicates(writeOptionsOf(exchange, ''), bytes, mediaType)
  sendObject(exchange, view, 201, await context.writes.create(definition, namespace, body, options))
}

async function handleChange(
  context: ObjectContext,
  exchange: Exchange,
  target: Target,
  what: { readonly verb: 'update' | 'patch'; readonly subresource: string },
): Promise<void> {
  const view = viewOf(context, exchange, target.definition)
  const bytes = await readBody(exchange.request)
  const mediaType = mediaTypeOf(exchange.request)
  const options = writeOptionsOf(exchange, what.subresource)
  const { object, created } =
    what.verb === 'update'
      ? {
          object: await context.writes.update(
            target,
            decodeObject(bytes, mediaType),
            withDuplicates(options, bytes, mediaType),
          ),
          created: false,
        }
      : await context.writes.patch(
          target,
          decodePatch(exchange, target, bytes, mediaType),
          withDuplicates(options, bytes, mediaType),
        )
  if (what.subresource === 'scale') sendJson(exchange.response, 200, scaleOf(object))
  else sendObject(exchange, view, created ? 201 : 200, object)
}

function decodePatch(exchange: Exchange, { definition }: Target, bytes: Buffer, mediaType: string): Patch {
  const accepted = Object.keys(PATCH_TYPES).filter(
    (type) => !definition.custom || type !== 'application/strategic-merge-patch+json',
  )
  if (!accepted.includes(mediaType)) throw unsupported(accepted)
  // The line above leaves only the keys of the table.
  const type = PATCH_TYPES[mediaType as keyof typeof PATCH_TYPES]
  const force = isTrue(exchange.query.get('force'))
  if (type !== 'apply') {
    if (exchange.query.has('force'))
      throw invalidPatchOption('force', 'Forbidden: may not be specified for non-apply patch')
    const body = decodeJson(bytes)
    return type === 'json' ? { type, body } : { type, body: objectIn(body) }
  }
  if ((exchange.query.get('fieldManager') ?? '') === '')
    throw invalidPatchOption('fieldManager', 'Required value: is required for apply patch')
  return { type, body: objectIn(decodeYaml(bytes)), force }
}

function invalidPatchOption(field: string, message: string): StatusError {
  return statusErrors.invalid('PatchOptions', 'meta.k8s.io', '', [
    {
      reason: message.startsWith('Required') ? 'FieldValueRequired' : 'FieldValueForbidden',
      message,
      field,
    },
  ])
}

/**
 * The options with what stands twice in the body. An apply patch is refused or reported at once, in the words of its own decoder.
 * @throws {StatusError} 400
 */
function withDuplicates(options: WriteOptions, bytes: Buffer, mediaType: string): WriteOptions {
  if (options.fieldValidation === 'Ignore' || mediaType === PROTOBUF) return options
  const text = bytes.toString('utf8')
  if (mediaType === 'application/apply-patch+yaml') {
    const lines = duplicateLines(text)
    if (lines.length > 0 && options.fieldValidation === 'Strict')
      throw statusErrors.badRequest(
        `error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  ${lines.join('\n  ')}`,
      )
    lines.forEach((line) => options.warn?.(line))
    return options
  }
  if (YAML_TYPES.has(mediaType)) {
    const lines = duplicateLines(text)
    return lines.length === 0 ? options : { ...options, duplicates: { form: 'yaml', lines } }
  }
  const keys = keysWithDuplicates(text)
  return keys ? { ...options, duplicates: { form: 'json', keys } } : options
}

/** @throws {StatusError} 400, 422 */
export function writeOptionsOf({ query, request, response }: Exchange, subresource: string): WriteOptions {
  const validation = query.get('fieldValidation') ?? 'Warn'
  if (!isFieldValidation(validation))
    throw statusErrors.invalid('CreateOptions', 'meta.k8s.io', '', [
      {
        reason: 'FieldValueNotSupported',
        message: `Unsupported value: ${JSON.stringify(validation.slice(0, 64))}: supported values: "Ignore", "Strict", "Warn"`,
        field: 'fieldValidation',
      },
    ])
  return {
    manager: managerOf(query, request.headers['user-agent']),
    subresource,
    dryRun: dryRunOf(query.getAll('dryRun')),
    fieldValidation: validation,
    warn: (message) => addWarning(response, message),
  }
}

function isFieldValidation(text: string): text is FieldValidation {
  return text === 'Strict' || text === 'Warn' || text === 'Ignore'
}

function dryRunOf(values: readonly string[]): boolean {
  const wanted = values.filter((value) => value !== '')
  if (wanted.every((value) => value === 'All')) return wanted.length > 0
  throw statusErrors.invalid('CreateOptions', 'meta.k8s.io', '', [
    {
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(wanted)}: supported values: "All"`,
      field: 'dryRun',
    },
  ])
}

/** The stated manager, else the name in front of the user agent's version, as the real server does. */
function managerOf(query: URLSearchParams, userAgent: string | undefined): string {
  const stated = query.get('fieldManager') ?? ''
  if (stated.length > MANAGER_MAX_LENGTH || /[^\x20-\x7e]/.test(stated))
    throw statusErrors.invalid('CreateOptions', 'meta.k8s.io', '', [
      {
        reason: 'FieldValueTooLong',
        message: `Too long: may not be more than ${MANAGER_MAX_LENGTH} bytes`,
        field: 'fieldManager',
      },
    ])
  return stated || (userAgent ?? '').split('/')[0]?.slice(0, MANAGER_MAX_LENGTH) || 'unknown'
}

function sendObject(exchange: Exchange, view: View, code: number, object: AnyObject): void {
  // What a dry run would have stored is not kept, so its bytes are not either.
  if (Object.isFrozen(object)) return sendJson(exchange.response, code, encodeOne(view, object))
  sendJson(
    exchange.response,
    code,
    view.form.as === '' ? present(view.definition, object) : encodeOne(view, object),
  )
}

async function handleDelete(context: ObjectContext, exchange: Exchange, target: Target): Promise<void> {
  const { definition, name } = target
  const { deletion, dryRun } = await deleteOptionsOf(exchange)
  const { object, gone } = await context.writes.remove(target, deletion, { dryRun })
  if (definition.resource === 'jobs' && deletion.propagationPolicy === undefined)
    addWarning(
      exchange.response,
      'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
    )
  // Pods answer with themselves even when they go at once.
  if (!gone || definition.resource === 'pods')
    return sendObject(exchange, { ...viewOf(context, exchange, definition), form: PLAIN }, 200, object)
  sendJson(exchange.response, 200, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name,
      ...(definition.group === '' ? {} : { group: definition.group }),
      kind: definition.plural,
      uid: object.metadata.uid,
    },
  })
}

async function handleDeleteCollection(
  context: ObjectContext,
  exchange: Exchange,
  { definition, namespace }: Target,
): Promise<void> {
  const { deletion, dryRun } = await deleteOptionsOf(exchange)
  const { objects, metadata } = context.lists.list(definition, namespace, exchange.query)
  const deletions = objects.map(async ({ metadata: { namespace: place, name } }) => {
    try {
      await context.writes.remove({ definition, namespace: place, name }, deletion, { dryRun })
    } catch (error) {
      // Somebody else was faster, which is as good.
      if (!(error instanceof StatusError) || error.code !== 404) throw error
    }
  })
  await Promise.all(deletions)
  await sendPieces(
    exchange.response,
    encodeList({ ...viewOf(context, exchange, definition), form: PLAIN }, objects, metadata),
  )
}

/** Options from the body, or from the query where clients put them. */
async function deleteOptionsOf(
  exchange: Exchange,
): Promise<{ readonly deletion: DeleteOptions; readonly dryRun: boolean }> {
  const { query, request } = exchange
  const bytes = await readBody(request)
  const body = bytes.length === 0 ? {} : decodeObject(bytes, mediaTypeOf(request))
  const kind = textOf(body['kind'])
  if (kind !== '' && kind !== 'DeleteOptions')
    throw statusErrors.badRequest(`expected a DeleteOptions, got ${kind.slice(0, 64)}`)
  return readDeleteOptions(body, query)
}

/** @throws {StatusError} 422 */
export function readDeleteOptions(
  body: JsonObject,
  query: URLSearchParams,
): { readonly deletion: DeleteOptions; readonly dryRun: boolean } {
  const grace = body['gracePeriodSeconds'] ?? query.get('gracePeriodSeconds') ?? undefined
  const gracePeriodSeconds = grace === undefined ? undefined : Number(grace)
  if (gracePeriodSeconds !== undefined && !(Number.isInteger(gracePeriodSeconds) && gracePeriodSeconds >= 0))
    throw invalidDeletion(
      'gracePeriodSeconds',
      `Invalid value: ${String(gracePeriodSeconds)}: must be greater than or equal to 0`,
    )
  const policy = policyOf(body, query)
  const { uid, resourceVersion } = objectOf(body['preconditions'])
  const dryRun = Array.isArray(body['dryRun']) ? body['dryRun'].map(String) : query.getAll('dryRun')
  return {
    deletion: {
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      ...(policy === undefined ? {} : { propagationPolicy: policy }),
      preconditions: {
        ...(typeof uid === 'string' ? { uid } : {}),
        ...(typeof resourceVersion === 'string' ? { resourceVersion } : {}),
      },
    },
    dryRun: dryRunOf(dryRun),
  }
}

function policyOf(body: JsonObject, query: URLSearchParams): DeleteOptions['propagationPolicy'] {
  const policy = textOf(body['propagationPolicy']) || (query.get('propagationPolicy') ?? '')
  const orphan = body['orphanDependents'] ?? query.get('orphanDependents')
  if (policy === '' && (orphan === true || orphan === 'true')) return 'Orphan'
  if (policy === '' && (orphan === false || orphan === 'false')) return 'Background'
  if (policy === '') return undefined
  if (policy === 'Background' || policy === 'Foreground' || policy === 'Orphan') return policy
  throw invalidDeletion(
    'propagationPolicy',
    `Unsupported value: ${JSON.stringify(policy.slice(0, 64))}: supported values: "Background", "Foreground", "Orphan"`,
  )
}

function invalidDeletion(field: string, message: string): StatusError {
  return statusErrors.invalid('DeleteOptions', 'meta.k8s.io', '', [
    {
      reason: message.startsWith('Unsupported') ? 'FieldValueNotSupported' : 'FieldValueInvalid',
      message,
      field,
    },
  ])
}

/** The refusal for a verb that a resource does not have. */
export function methodNotAllowed(definition: ResourceDefinition | undefined): StatusError {
  return new StatusError(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    definition && { group: definition.group, kind: qualified(definition) },
  )
}
