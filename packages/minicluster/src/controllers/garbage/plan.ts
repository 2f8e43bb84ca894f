/*
 * Garbage collection by owner uid. An owner counts as absent when nothing with its kind, name, namespace and uid exists; an
 * owner in another namespace is never found and so counts as absent. Owners are "waiting" while they are deleted in the
 * foreground. An object with one solid owner stays and only loses the others; one without goes.
 * Foreground: the owner keeps its finalizer until the dependents that block it are gone. Orphan: the dependents lose their
 * reference first, then the owner its finalizer.
 */
import type { AnyObject } from '../../model.ts'

export type OwnerReference = NonNullable<AnyObject['metadata']['ownerReferences']>[number]

export const FOREGROUND = 'foregroundDeletion'
export const ORPHAN = 'orphan'

export type OwnerState = 'solid' | 'absent' | 'waiting' | 'unknown'

export type DependentStep =
  | { readonly kind: 'keep' }
  | { readonly kind: 'drop-references'; readonly uids: readonly string[] }
  | { readonly kind: 'delete'; readonly policy: 'Background' | 'Foreground' | 'Orphan' }

/** What becomes of an object because of its owners. */
export function planDependent(
  object: AnyObject,
  stateOf: (reference: OwnerReference) => OwnerState,
  hasBlockingDependents: boolean,
): DependentStep {
  const references = object.metadata.ownerReferences ?? []
  if (references.length === 0 || object.metadata.deletionTimestamp !== undefined) return { kind: 'keep' }
  const states = references.map((reference) => ({ reference, state: stateOf(reference) }))
  // A kind that is not served here cannot be looked up: nothing may be concluded from that.
  if (states.some(({ state }) => state === 'unknown')) return { kind: 'keep' }
  const gone = states.filter(({ state }) => state !== 'solid')
  if (gone.length === 0) return { kind: 'keep' }
  if (gone.length < states.length)
    return { kind: 'drop-references', uids: gone.map(({ reference }) => reference.uid) }
  const waits = states.some(({ state }) => state === 'waiting')
  if (waits && hasBlockingDependents) return { kind: 'delete', policy: 'Foreground' }
  if (object.metadata.finalizers?.includes(ORPHAN)) return { kind: 'delete', policy: 'Orphan' }
  if (object.metadata.finalizers?.includes(FOREGROUND)) return { kind: 'delete', policy: 'Foreground' }
  return { kind: 'delete', policy: 'Background' }
}

export type OwnerStep =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'wait-for-dependents'; readonly wake: readonly AnyObject[] }
  | { readonly kind: 'release-dependents'; readonly dependents: readonly AnyObject[] }
  | { readonly kind: 'finish'; readonly finalizer: string }

/** What an object that is being deleted does about its dependents. */
export function planOwner(object: AnyObject, dependents: readonly AnyObject[]): OwnerStep {
  const finalizers = object.metadata.finalizers ?? []
  if (object.metadata.deletionTimestamp === undefined) return { kind: 'nothing' }
  if (finalizers.includes(ORPHAN))
    return dependents.length > 0
      ? { kind: 'release-dependents', dependents }
      : { kind: 'finish', finalizer: ORPHAN }
  if (!finalizers.includes(FOREGROUND)) return { kind: 'nothing' }
  const blocking = dependents.filter((dependent) => blocks(dependent, object.metadata.uid))
  return blocking.length > 0
    ? { kind: 'wait-for-dependents', wake: dependents }
    : { kind: 'finish', finalizer: FOREGROUND }
}

export function blocks(dependent: AnyObject, ownerUid: string): boolean {
  const reference = dependent.metadata.ownerReferences?.find(({ uid }) => uid === ownerUid)
  return reference?.blockOwnerDeletion === true
}
