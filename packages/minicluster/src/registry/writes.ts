import type { Clock, Random } from '@slipway/kit'

import { defaultObject, validateObject } from '../admission/index.ts'
import { statusErrors } from '../errors.ts'
import type { AnyObject, DeleteOptions } from '../model.ts'
import {
  applyServerSide,
  jsonPatch,
  mergePatch,
  recordUpdate,
  strategicMergePatch,
  type ManagedFields,
} from '../patch/index.ts'
import { listOf, objectOf, sameJson, textOf, type JsonObject } from '../schema/json.ts'
import type { Store } from '../store/index.ts'
import { admitNamespace, admitPod, refuseNewFinalizers } from './admit.ts'
import { boundPod } from './binding.ts'
import { checkPreconditions, decideDeletion, isFinished } from './deletion.ts'
import { accept, present } from './events.ts'
import { acceptBody, checkIdentity, type Target, type WriteOptions } from './incoming.ts'
import { withNewMetadata, withoutUndefined } from './new-metadata.ts'
import { admitQuota } from './quota.ts'
import type { ResourceDefinition } from './resources.ts'
import { scaleOf, withScale } from './scale.ts'
import { allocateService, newServiceCursor, type ServiceCursor } from './services.ts'
import { countsAsChange, ownedByCreator, prepareCreate, prepareStatus, prepareUpdate } from './strategies.ts'

/*
 * Every write of the cluster passes here, from HTTP and from the controllers alike: accept the body, complete it, validate
 * it, note who owns which field, store it. From the look at the present state (`store.head`) to the entry into the store's
 * queue nothing waits, so each decision holds until it is numbered; that is the one lock.
 */
export type Patch =
  | { readonly type: 'json'; readonly body: unknown }
  | { readonly type: 'merge' | 'strategic'; readonly body: JsonObject }
  | { readonly type: 'apply'; readonly body: JsonObject; readonly force: boolean }

export type Writes = {
  /** @throws {StatusError} 400, 403, 404 for the namespace, 409, 422 */
  readonly create: (
    definition: ResourceDefinition,
    namespace: string | undefined,
    body: JsonObject,
    options: WriteOptions,
  ) => Promise<AnyObject>
  /** Replaces the object, or the part of it that `options.subresource` names. */
  readonly update: (target: Target, body: JsonObject, options: WriteOptions) => Promise<AnyObject>
  readonly patch: (
    target: Target,
    patch: Patch,
    options: WriteOptions,
  ) => Promise<{ readonly object: AnyObject; readonly created: boolean }>
  /** `gone` tells whether the object was removed or only marked. */
  readonly remove: (
    target: Target,
    deletion: DeleteOptions,
    options: { readonly dryRun?: boolean },
  ) => Promise<{ readonly object: AnyObject; readonly gone: boolean }>
  /** Assigns a pod to a node. */
  readonly bind: (target: Target, binding: JsonObject, options: WriteOptions) => Promise<void>
}

export type WriteContext = {
  readonly store: Store
  readonly clock: Clock
  readonly newUid: () => string
  readonly random: Random
}

type Engine = WriteContext & { readonly cursor: ServiceCursor }

export function writesOver(context: WriteContext): Writes {
  const engine = { ...context, cursor: newServiceCursor() }
  return {
    create: (definition, namespace, body, options) =>
      create(engine, { definition, namespace }, body, options),
    update: (target, body, options) => update(engine, target, body, options),
    patch: (target, body, options) => patch(engine, target, body, options),
    remove: (target, deletion, options) => remove(engine, target, deletion, options),
    bind: (target, binding, options) => bind(engine, target, binding, options),
  }
}

function find(context: Engine, { definition, namespace, name }: Target): AnyObject {
  const object = context.store.head.get(definition.resource, namespace, name)
  if (!object) throw statusErrors.notFound(definition.plural, definition.group, name)
  return object
}

/** What both kinds of write do last: allocate, validate, quota. */
function complete(
  context: Engine,
  definition: ResourceDefinition,
  object: AnyObject,
  old: AnyObject | undefined,
): AnyObject {
  const allocated =
    definition.resource === 'services'
      ? allocateService(object, old, context.store.head.list('services'), context.cursor)
      : object
  const causes = validateObject(definition.resource, allocated, old)
  if (causes.length > 0)
    throw statusErrors.invalid(definition.kind, definition.group, object.metadata.name, causes)
  if (definition.resource === 'pods' && !old) admitPod(context.store.head, allocated)
  if (definition.namespaced) admitQuota(definition, allocated, old, context.store.head)
  return allocated
}

async function create(
  context: Engine,
  { definition, namespace }: Omit<Target, 'name'>,
  body: JsonObject,
  options: WriteOptions,
): Promise<AnyObject> {
  const accepted = accept(definition, acceptBody(definition, namespace, body, options))
  if (definition.namespaced) admitNamespace(context.store.head, definition, namespace ?? '', accepted)
  const { newUid, random, clock, store } = context
  const making = { head: store.head, newUid, random, now: clock.now() }
  const named = withNewMetadata(making, definition, accepted)
  const defaulted = defaultObject(definition.resource, named)
  const object = complete(context, definition, prepareCreate(definition, defaulted), undefined)
  if (store.head.get(definition.resource, namespace, object.metadata.name))
    throw statusErrors.alreadyExists(definition.plural, definition.group, object.metadata.name)
  const applied = listOf(objectOf(body['metadata'])['managedFields'])
  const managedFields =
    options.subresource === 'apply'
      ? applied
      : recordUpdate({
          before: undefined,
          after: ownedByCreator(definition, object, accepted),
          manager: options.manager,
          subresource: '',
          now: making.now,
        })
  const result = withManagers(object, managedFields)
  return options.dryRun ? result : store.put(definition.resource, result)
}

/** Stores `next` in place of `old`, unless nothing changed or it was the last thing that kept a deleted object. */
async function replace(
  context: Engine,
  { definition, old }: { readonly definition: ResourceDefinition; readonly old: AnyObject },
  next: AnyObject,
  options: WriteOptions & { readonly managedFields?: readonly unknown[] },
): Promise<AnyObject> {
  refuseNewFinalizers(definition, next, old)
  const defaulted = defaultObject(definition.resource, next)
  // A binding changes just what validation says nobody may change.
  const completed =
    options.subresource === 'binding' ? defaulted : complete(context, definition, defaulted, old)
  const isStatus = options.subresource === 'status'
  const counted = isStatus ? completed : withGeneration(definition, completed, old)
  const managedFields =
    options.managedFields ??
    recordUpdate({
      before: old,
      after: counted,
      manager: options.manager,
      subresource: options.subresource ?? '',
      now: context.clock.now(),
    })
  const result = withManagers(counted, managedFields)
  if (sameJson(result, old)) return old
  if (options.dryRun) return result
  if (isFinished(definition, result)) return context.store.erase(definition.resource, result)
  return context.store.put(definition.resource, result)
}

async function update(
  context: Engine,
  target: Target,
  body: JsonObject,
  options: WriteOptions,
): Promise<AnyObject> {
  const { definition } = target
  const old = find(context, target)
  if (options.subresource === 'scale') {
    checkIdentity(target, body, old)
    return replace(context, { definition, old }, withScale(definition, old, body), options)
  }
  const accepted = acceptBody(definition, target.namespace, body, options)
  checkIdentity(target, accepted, old)
  const next = nextOf(definition, accept(definition, accepted), old, options)
  return replace(context, { definition, old }, next, options)
}

async function patch(
  context: Engine,
  target: Target,
  patch: Patch,
  options: WriteOptions,
): Promise<{ object: AnyObject; created: boolean }> {
  const { definition, namespace } = target
  if (patch.type === 'apply') return apply(context, target, patch, options)
  const old = find(context, target)
  const isScale = options.subresource === 'scale'
  const shown = isScale ? scaleOf(old) : present(definition, old)
  const patched = patchBody(
    patch,
    shown,
    isScale ? { apiVersion: 'autoscaling/v1', kind: 'Scale' } : definition,
  )
  if (isScale) {
    checkIdentity(target, patched, old)
    const scaled = withScale(definition, old, patched)
    return { object: await replace(context, { definition, old }, scaled, options), created: false }
  }
  const accepted = acceptBody(definition, namespace, patched, { ...options, isPatched: true })
  checkIdentity(target, accepted, old)
  const next = nextOf(definition, accept(definition, accepted), old, options)
  return { object: await replace(context, { definition, old }, next, options), created: false }
}

async function apply(
  context: Engine,
  target: Target,
  patch: Extract<Patch, { type: 'apply' }>,
  options: WriteOptions,
): Promise<{ object: AnyObject; created: boolean }> {
  const { definition, namespace, name } = target
  const old = context.store.head.get(definition.resource, namespace, name)
  const subresource = options.subresource ?? ''
  if (!old && subresource !== '') throw statusErrors.notFound(definition.plural, definition.group, name)
  const body = subresource === 'scale' && old ? appliedScale(definition, old, patch.body) : patch.body
  const accepted = acceptBody(definition, namespace, body, options)
  if (old) checkIdentity(target, accepted, old)
  const { object } = applyServerSide({
    live: old,
    applied: withName(accepted, name),
    manager: options.manager,
    force: patch.force,
    subresource,
    now: context.clock.now(),
  })
  if (!old)
    return {
      object: await create(context, target, object, { ...withoutValidation(options), subresource: 'apply' }),
      created: true,
    }
  const managedFields = listOf(objectOf(object['metadata'])['managedFields'])
  const next = nextOf(definition, object, old, options)
  const applied = await replace(context, { definition, old }, next, { ...options, managedFields })
  return { object: applied, created: false }
}

async function remove(
  context: Engine,
  target: Target,
  deletion: DeleteOptions,
  options: { readonly dryRun?: boolean },
): Promise<{ object: AnyObject; gone: boolean }> {
  const { definition } = target
  const object = find(context, target)
  checkPreconditions(definition, object, deletion.preconditions)
  const decision = decideDeletion(definition, object, deletion, context.clock.now())
  if (decision.kind === 'keep') return { object, gone: false }
  if (decision.kind === 'erase')
    return {
      object: options.dryRun ? object : await context.store.erase(definition.resource, object),
      gone: true,
    }
  const marked = decision.object
  return {
    object: options.dryRun ? marked : await context.store.put(definition.resource, marked),
    gone: false,
  }
}

async function bind(
  context: Engine,
  target: Target,
  binding: JsonObject,
  options: WriteOptions,
): Promise<void> {
  const pod = find(context, target)
  const next = boundPod(target, pod, binding, context.clock.now())
  const { definition } = target
  await replace(context, { definition, old: pod }, next, { ...options, subresource: 'binding' })
}

/** The object that a write through the main path or a subresource leaves behind. */
function nextOf(
  definition: ResourceDefinition,
  body: JsonObject,
  old: AnyObject,
  options: WriteOptions,
): AnyObject {
  const { metadata } = old
  const sent = objectOf(body['metadata'])
  const system = {
    name: metadata.name,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    creationTimestamp: metadata.creationTimestamp,
    generation: metadata.generation,
    deletionTimestamp: metadata.deletionTimestamp,
    deletionGracePeriodSeconds: metadata.deletionGracePeriodSeconds,
    generateName: metadata.generateName,
    selfLink: undefined,
    managedFields: sent['managedFields'] ?? metadata.managedFields,
  }
  const object = {
    ...body,
    metadata: withoutUndefined({ ...sent, ...system }),
  } as AnyObject // the identity comes from the old object, which has all of it
  if (options.subresource === 'status') return prepareStatus(definition, object, old)
  return prepareUpdate(definition, object, old, options.subresource === 'finalize')
}

function patchBody(
  patch: Exclude<Patch, { type: 'apply' }>,
  shown: JsonObject,
  type: { readonly apiVersion: string; readonly kind: string },
): JsonObject {
  if (patch.type === 'json') return jsonPatch(shown, patch.body)
  if (patch.type === 'merge') return mergePatch(shown, patch.body)
  return strategicMergePatch(shown, patch.body, type.apiVersion, type.kind)
}

function appliedScale(definition: ResourceDefinition, old: AnyObject, scale: JsonObject): JsonObject {
  const { replicas } = objectOf(withScale(definition, old, scale)['spec'])
  const { name, namespace } = old.metadata
  return {
    apiVersion: definition.apiVersion,
    kind: definition.kind,
    metadata: { name, namespace },
    spec: { replicas },
  }
}

function withName(body: JsonObject, name: string): JsonObject {
  const metadata = objectOf(body['metadata'])
  if (textOf(metadata['name']) === '') return { ...body, metadata: { ...metadata, name } }
  if (metadata['name'] === name) return body
  throw statusErrors.badRequest(
    `the name of the object (${textOf(metadata['name'])}) does not match the name on the URL (${name})`,
  )
}

function withoutValidation(options: WriteOptions): WriteOptions {
  const { fieldValidation: _, ...rest } = options
  return rest
}

function withGeneration(definition: ResourceDefinition, next: AnyObject, old: AnyObject): AnyObject {
  if (!definition.counted || !countsAsChange(definition, next, old, sameJson)) return next
  return { ...next, metadata: { ...next.metadata, generation: (old.metadata.generation ?? 0) + 1 } }
}

function withManagers(object: AnyObject, managedFields: readonly unknown[]): AnyObject {
  const { managedFields: _, ...metadata } = object.metadata
  if (managedFields.length === 0) return { ...object, metadata }
  // The patch code made them in just this form.
  return { ...object, metadata: { ...metadata, managedFields: managedFields as readonly ManagedFields[] } }
}
