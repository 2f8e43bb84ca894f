import { StatusError } from '../errors.ts'
import type { AnyObject, DeleteOptions } from '../model.ts'
import { listOf, objectOf } from '../schema/json.ts'
import type { ResourceDefinition } from './resources.ts'

/*
 * What a delete does to an object, decided without I/O. The finalizers `orphan` and `foregroundDeletion` are only
 * remembered here; the garbage collector acts on them and takes them away, and the write that removes the last finalizer
 * removes the object (`isFinished`).
 */
export type Deletion =
  | { readonly kind: 'erase' }
  | { readonly kind: 'put'; readonly object: AnyObject }
  | { readonly kind: 'keep' }

const GARBAGE_FINALIZERS = ['orphan', 'foregroundDeletion']
const GRACE_DEFAULT_SECONDS = 30

/** RFC 3339 with whole seconds, as metadata carries times. */
export function timeText(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`
}

/** @throws {StatusError} 409 when a precondition does not hold */
export function checkPreconditions(
  definition: ResourceDefinition,
  object: AnyObject,
  preconditions: DeleteOptions['preconditions'],
): void {
  const { name, uid, resourceVersion } = object.metadata
  const fail = (field: string, wanted: string, actual: string): StatusError =>
    new StatusError(
      409,
      'Conflict',
      `Operation cannot be fulfilled on ${definition.group === '' ? definition.plural : `${definition.plural}.${definition.group}`} "${name}": the ${field} in the precondition (${wanted}) does not match the ${field} in record (${actual}). The object might have been deleted and then recreated`,
      { name, group: definition.group, kind: definition.plural },
    )
  if (preconditions?.uid !== undefined && preconditions.uid !== uid) throw fail('UID', preconditions.uid, uid)
  if (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion)
    throw fail('ResourceVersion', preconditions.resourceVersion, resourceVersion)
}

export function decideDeletion(
  definition: ResourceDefinition,
  object: AnyObject,
  options: DeleteOptions,
  now: Date,
): Deletion {
  const { metadata } = object
  const finalizers = finalizersFor(definition, object, options)
  const graceSeconds = graceOf(definition, object, options)
  if (metadata.deletionTimestamp !== undefined) return hasten(object, finalizers, graceSeconds)
  const holds = finalizers.length > 0 || holdsContents(definition, object)
  if (graceSeconds === 0 && !holds) return { kind: 'erase' }
  return {
    kind: 'put',
    object: marked(definition, object, {
      finalizers,
      graceSeconds,
      deletionTimestamp: timeText(new Date(now.getTime() + graceSeconds * 1000)),
    }),
  }
}

/** True when the object is marked as deleted and nothing holds it any more. */
export function isFinished(definition: ResourceDefinition, object: AnyObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = object.metadata
  return (
    deletionTimestamp !== undefined &&
    deletionGracePeriodSeconds === 0 &&
    finalizers.length === 0 &&
    !holdsContents(definition, object)
  )
}

/** Another delete of an object that is going already: it may only shorten the time or change what becomes of dependents. */
function hasten(object: AnyObject, finalizers: readonly string[], graceSeconds: number): Deletion {
  const { metadata } = object
  const before = metadata.deletionGracePeriodSeconds ?? 0
  const seconds = Math.min(before, graceSeconds)
  if (seconds === 0 && before > 0 && finalizers.length === 0) return { kind: 'erase' }
  const same = seconds === before && finalizers.join('\n') === (metadata.finalizers ?? []).join('\n')
  if (same) return { kind: 'keep' }
  const beganMs = Date.parse(metadata.deletionTimestamp ?? '') - before * 1000
  const shortened = {
    ...metadata,
    deletionTimestamp: timeText(new Date(beganMs + seconds * 1000)),
    deletionGracePeriodSeconds: seconds,
  }
  return { kind: 'put', object: { ...object, metadata: withFinalizers(shortened, finalizers) } }
}

function marked(
  definition: ResourceDefinition,
  object: AnyObject,
  mark: { finalizers: readonly string[]; graceSeconds: number; deletionTimestamp: string },
): AnyObject {
  const { metadata } = object
  const next = {
    ...metadata,
    deletionTimestamp: mark.deletionTimestamp,
    deletionGracePeriodSeconds: mark.graceSeconds,
    ...(metadata.generation === undefined ? {} : { generation: metadata.generation + 1 }),
  }
  const result = { ...object, metadata: withFinalizers(next, mark.finalizers) }
  if (definition.resource !== 'namespaces') return result
  return { ...result, status: { ...objectOf(object['status']), phase: 'Terminating' } }
}

function withFinalizers(
  metadata: AnyObject['metadata'],
  finalizers: readonly string[],
): AnyObject['metadata'] {
  const { finalizers: _, ...rest } = metadata
  return finalizers.length === 0 ? rest : { ...rest, finalizers }
}

function finalizersFor(
  definition: ResourceDefinition,
  object: AnyObject,
  options: DeleteOptions,
): readonly string[] {
  const present = object.metadata.finalizers ?? []
  const others = present.filter((finalizer) => !GARBAGE_FINALIZERS.includes(finalizer))
  switch (options.propagationPolicy) {
    case 'Orphan':
      return [...others, 'orphan']
    case 'Foreground':
      return [...others, 'foregroundDeletion']
    case 'Background':
      return others
    default:
      if (others.length < present.length) return present
      // Jobs keep the default of the time before garbage collection.
      return definition.resource === 'jobs' && object.metadata.deletionTimestamp === undefined
        ? [...others, 'orphan']
        : others
  }
}

function graceOf(definition: ResourceDefinition, object: AnyObject, options: DeleteOptions): number {
  if (definition.resource !== 'pods') return 0
  const spec = objectOf(object['spec'])
  const phase = objectOf(object['status'])['phase']
  if (!spec['nodeName'] || phase === 'Succeeded' || phase === 'Failed') return 0
  const own = spec['terminationGracePeriodSeconds']
  return options.gracePeriodSeconds ?? (typeof own === 'number' ? own : GRACE_DEFAULT_SECONDS)
}

/** A namespace stays until its contents are gone, which the namespace controller tells by emptying spec.finalizers. */
function holdsContents(definition: ResourceDefinition, object: AnyObject): boolean {
  return definition.resource === 'namespaces' && listOf(objectOf(object['spec'])['finalizers']).length > 0
}
