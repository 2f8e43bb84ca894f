import type { Clock, Random } from '@slipway/kit'

import { defaultObject, podSecurityViolations, validateObject } from '../admission/index.ts'
import { statusErrors, StatusError, type StatusCause } from '../errors.ts'
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
import { checkPreconditions, decideDeletion, isFinished, timeText } from './deletion.ts'
import { accept, present } from './events.ts'
import { acceptBody, checkIdentity, qualified, type Target, type WriteOptions } from './incoming.ts'
import { admitQuota } from './quota.ts'
import type { ResourceDefinition } from './resources.ts'
import { scaleOf, withScale } from './scale.ts'
import { allocateService, newServiceCursor } from './services.ts'
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

const NAME_TRIES = 8
const NAME_SYMBOLS = 'bcdfghjklmnpqrstvwxz2456789'
const NAME_STEM_MAX = 58

export function writesOver(context: WriteContext): Writes {
  const { store } = context
  const cursor = newServiceCursor()

  function find({ definition, namespace, name }: Target): AnyObject {
    const object = store.head.get(definition.resource, namespace, name)
    if (!object) throw statusErrors.notFound(definition.plural, definition.group, name)
    return object
  }

  /** What both kinds of write do last: allocate, validate, quota. */
  function complete(
    definition: ResourceDefinition,
    object: AnyObject,
    old: AnyObject | undefined,
  ): AnyObject {
    const allocated =
      definition.resource === 'services'
        ? allocateService(object, old, store.head.list('services'), cursor)
        : object
    const causes = validateObject(definition.resource, allocated, old)
    if (causes.length > 0)
      throw statusErrors.invalid(definition.kind, definition.group, object.metadata.name, causes)
    if (definition.resource === 'pods' && !old) admitPod(store, allocated)
    if (definition.namespaced) admitQuota(definition, allocated, old, store.head)
    return allocated
  }

  async function create(
    definition: ResourceDefinition,
    namespace: string | undefined,
    body: JsonObject,
    options: WriteOptions,
  ): Promise<AnyObject> {
    const accepted = accept(definition, acceptBody(definition, namespace, body, options))
    if (definition.namespaced) admitNamespace(store, definition, namespace ?? '', accepted)
    const named = withNewMetadata(context, definition, accepted)
    const defaulted = defaultObject(definition.resource, named)
    const object = complete(definition, prepareCreate(definition, defaulted), undefined)
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
            now: context.clock.now(),
          })
    const result = withManagers(object, managedFields)
    return options.dryRun ? result : store.put(definition.resource, result)
  }

  /** Stores `next` in place of `old`, unless nothing changed or it was the last thing that kept a deleted object. */
  async function replace(
    target: Target,
    next: AnyObject,
    old: AnyObject,
    options: WriteOptions & { readonly managedFields?: readonly unknown[] },
  ): Promise<AnyObject> {
    const { definition } = target
    refuseNewFinalizers(definition, next, old)
    const defaulted = defaultObject(definition.resource, next)
    // A binding changes just what validation says nobody may change.
    const completed = options.subresource === 'binding' ? defaulted : complete(definition, defaulted, old)
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
    if (isFinished(definition, result)) return store.erase(definition.resource, result)
    return store.put(definition.resource, result)
  }

  async function update(target: Target, body: JsonObject, options: WriteOptions): Promise<AnyObject> {
    const old = find(target)
    if (options.subresource === 'scale') {
      checkIdentity(target, body, old)
      return replace(target, withScale(target.definition, old, body), old, options)
    }
    const accepted = acceptBody(target.definition, target.namespace, body, options)
    checkIdentity(target, accepted, old)
    return replace(
      target,
      nextOf(target.definition, accept(target.definition, accepted), old, options),
      old,
      options,
    )
  }

  async function patch(
    target: Target,
    patch: Patch,
    options: WriteOptions,
  ): Promise<{ object: AnyObject; created: boolean }> {
    const { definition, namespace, name } = target
    if (patch.type === 'apply') return apply(target, patch, options)
    const old = find(target)
    const isScale = options.subresource === 'scale'
    const shown = isScale ? scaleOf(old) : present(definition, old)
    const patched = patchBody(
      patch,
      shown,
      isScale ? { apiVersion: 'autoscaling/v1', kind: 'Scale' } : definition,
    )
    if (isScale) {
      checkIdentity(target, patched, old)
      return {
        object: await replace(target, withScale(definition, old, patched), old, options),
        created: false,
      }
    }
    const accepted = acceptBody(definition, namespace, patched, options)
    checkIdentity({ definition, namespace, name }, accepted, old)
    const next = nextOf(definition, accept(definition, accepted), old, options)
    return { object: await replace(target, next, old, options), created: false }
  }

  async function apply(
    target: Target,
    patch: Extract<Patch, { type: 'apply' }>,
    options: WriteOptions,
  ): Promise<{ object: AnyObject; created: boolean }> {
    const { definition, namespace, name } = target
    const old = store.head.get(definition.resource, namespace, name)
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
        object: await create(definition, namespace, object, {
          ...withoutValidation(options),
          subresource: 'apply',
        }),
        created: true,
      }
    const managedFields = listOf(objectOf(object['metadata'])['managedFields'])
    const next = nextOf(definition, object, old, options)
    return { object: await replace(target, next, old, { ...options, managedFields }), created: false }
  }

  async function remove(
    target: Target,
    deletion: DeleteOptions,
    options: { readonly dryRun?: boolean },
  ): Promise<{ object: AnyObject; gone: boolean }> {
    const { definition } = target
    const object = find(target)
    checkPreconditions(definition, object, deletion.preconditions)
    const decision = decideDeletion(definition, object, deletion, context.clock.now())
    if (decision.kind === 'keep') return { object, gone: false }
    if (decision.kind === 'erase')
      return { object: options.dryRun ? object : await store.erase(definition.resource, object), gone: true }
    const marked = decision.object
    return {
      object: options.dryRun ? marked : await store.put(definition.resource, marked),
      gone: false,
    }
  }

  async function bind(target: Target, binding: JsonObject, options: WriteOptions): Promise<void> {
    const pod = find(target)
    const next = boundPod(target, pod, binding, context.clock.now())
    await replace(target, next, pod, { ...options, subresource: 'binding' })
  }

  return { create, update, patch, remove, bind }
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

function withNewMetadata(context: WriteContext, definition: ResourceDefinition, body: JsonObject): AnyObject {
  const metadata = objectOf(body['metadata'])
  if (textOf(metadata['resourceVersion']) !== '')
    throw statusErrors.badRequest('resourceVersion should not be set on objects to be created')
  const name = textOf(metadata['name']) || generatedName(context, definition, metadata)
  const { namespace: _, ...clusterWide } = metadata
  return {
    ...body,
    metadata: withoutUndefined({
      ...(definition.namespaced ? metadata : clusterWide),
      name,
      uid: context.newUid(),
      resourceVersion: undefined,
      selfLink: undefined,
      managedFields: undefined,
      generation: definition.counted ? 1 : undefined,
      creationTimestamp: timeText(context.clock.now()),
      deletionTimestamp: undefined,
      deletionGracePeriodSeconds: undefined,
    }),
  } as AnyObject // the version is set when it is stored
}

function generatedName(context: WriteContext, definition: ResourceDefinition, metadata: JsonObject): string {
  const stem = textOf(metadata['generateName'])
  if (stem === '') {
    const cause: StatusCause = {
      reason: 'FieldValueRequired',
      message: 'Required value: name or generateName is required',
      field: 'metadata.name',
    }
    throw statusErrors.invalid(definition.kind, definition.group, '', [cause])
  }
  const namespace = textOf(metadata['namespace'])
  for (let tries = 0; ; tries += 1) {
    const tail = Array.from({ length: 5 }, () =>
      NAME_SYMBOLS.charAt(Math.floor(context.random() * NAME_SYMBOLS.length)),
    )
    const name = `${stem.slice(0, NAME_STEM_MAX)}${tail.join('')}`
    if (!context.store.head.get(definition.resource, namespace, name)) return name
    if (tries === NAME_TRIES)
      throw new StatusError(
        409,
        'AlreadyExists',
        `${qualified(definition)} "${name}" already exists, the server was not able to generate a unique name for the object`,
        { name, group: definition.group, kind: definition.plural, retryAfterSeconds: 1 },
      )
  }
}

function admitNamespace(
  store: Store,
  definition: ResourceDefinition,
  namespace: string,
  body: JsonObject,
): void {
  const found = store.head.get('namespaces', undefined, namespace)
  if (!found) throw statusErrors.notFound('namespaces', '', namespace)
  if (found.metadata.deletionTimestamp === undefined) return
  const name = textOf(objectOf(body['metadata'])['name'])
  throw statusErrors.forbidden(
    `${qualified(definition)} "${name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
    {
      name,
      group: definition.group,
      kind: definition.plural,
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    },
  )
}

function admitPod(store: Store, pod: AnyObject): void {
  const { namespace, name } = pod.metadata
  const refuse = (why: string): StatusError =>
    statusErrors.forbidden(`pods "${name}" is forbidden: ${why}`, { name, kind: 'pods' })
  const spec = objectOf(pod['spec'])
  const account = textOf(spec['serviceAccountName'])
  // `default` is made by a controller a moment after its namespace; waiting for that would only make clients retry.
  if (account !== 'default' && !store.head.get('serviceaccounts', namespace, account))
    throw refuse(
      `error looking up service account ${namespace ?? ''}/${account}: serviceaccount "${account}" not found`,
    )
  const labels = store.head.get('namespaces', undefined, namespace ?? '')?.metadata.labels ?? {}
  if (labels['pod-security.kubernetes.io/enforce'] !== 'restricted') return
  const violations = podSecurityViolations(spec)
  if (violations.length === 0) return
  const version = labels['pod-security.kubernetes.io/enforce-version'] ?? 'latest'
  throw refuse(`violates PodSecurity "restricted:${version}": ${violations.join(', ')}`)
}

function refuseNewFinalizers(definition: ResourceDefinition, next: AnyObject, old: AnyObject): void {
  if (old.metadata.deletionTimestamp === undefined) return
  const before = new Set(old.metadata.finalizers)
  const added = (next.metadata.finalizers ?? []).filter((finalizer) => !before.has(finalizer))
  if (added.length === 0) return
  throw statusErrors.invalid(definition.kind, definition.group, old.metadata.name, [
    {
      reason: 'FieldValueForbidden',
      message: `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((one) => JSON.stringify(one)).join(', ')}}`,
      field: 'metadata.finalizers',
    },
  ])
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

function boundPod(target: Target, pod: AnyObject, binding: JsonObject, now: Date): AnyObject {
  const { name } = target
  const spec = objectOf(pod['spec'])
  const conflict = (why: string): StatusError =>
    new StatusError(409, 'Conflict', `Operation cannot be fulfilled on pods/binding "${name}": ${why}`, {
      name,
      kind: 'pods/binding',
    })
  const sent = objectOf(binding['metadata'])
  const node = textOf(objectOf(binding['target'])['name'])
  if (node === '')
    throw statusErrors.invalid('Binding', '', name, [
      { reason: 'FieldValueRequired', message: 'Required value', field: 'target.name' },
    ])
  if (textOf(sent['uid']) !== '' && sent['uid'] !== pod.metadata.uid)
    throw conflict(
      `Precondition failed: UID in precondition: ${textOf(sent['uid'])}, UID in object meta: ${pod.metadata.uid}`,
    )
  if (pod.metadata.deletionTimestamp !== undefined)
    throw conflict(`pod ${name} is being deleted, cannot be assigned to a host`)
  if (textOf(spec['nodeName']) !== '')
    throw conflict(`pod ${name} is already assigned to node "${textOf(spec['nodeName'])}"`)
  const status = objectOf(pod['status'])
  const others = listOf(status['conditions']).filter((one) => objectOf(one)['type'] !== 'PodScheduled')
  const scheduled = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: timeText(now),
  }
  return {
    ...pod,
    spec: { ...spec, nodeName: node },
    status: { ...status, conditions: [...others, scheduled] },
  }
}

function withoutUndefined(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
}
