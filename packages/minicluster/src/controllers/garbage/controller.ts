import { unreachable } from '@slipway/kit'

import type { AnyObject, Change, Resource } from '../../model.ts'
import { definitions } from '../../registry/resources.ts'
import { type Again, forEachBounded, isSameJson, type Parts, runController, unlessGone } from '../kit.ts'
import { blocks, FOREGROUND, type OwnerReference, type OwnerState, planDependent, planOwner } from './plan.ts'

const MANAGER = 'generic-garbage-collector'
const WRITES_AT_ONCE = 16

type Kept = { readonly resource: Resource; readonly object: AnyObject }
/** Every object by uid, and uids of dependents by uid of their owner. */
type Graph = {
  readonly objects: Map<string, Kept>
  readonly dependents: Map<string, Set<string>>
}

/** Removes what has lost its owners, in the way the deletion of the owner asked for. */
export function startGarbageCollector(parts: Parts): AsyncDisposable {
  const graph: Graph = { objects: new Map(), dependents: new Map() }
  const observer = parts.registry.observe((change) => follow(graph, change))
  for (const { resource } of definitions)
    for (const object of listAny(parts, resource)) addTo(graph, { resource, object })

  const controller = runController(parts, {
    name: MANAGER,
    concurrency: 8,
    keysOf: (change) => keysOf(graph, change),
    firstKeys: () =>
      [...graph.objects.values()]
        .filter(({ object }) => isInteresting(object))
        .map((kept) => kept.object.metadata.uid),
    reconcile: (uid) => collect(parts, graph, uid),
  })
  return {
    async [Symbol.asyncDispose]() {
      await controller[Symbol.asyncDispose]()
      observer[Symbol.dispose]()
    },
  }
}

function listAny({ registry }: Parts, resource: Resource): readonly AnyObject[] {
  // Every kept object has the fields of AnyObject; the union of all kinds has no common list type.
  return registry.list(resource)
}

function follow(graph: Graph, change: Change): void {
  const object = change.object as unknown as AnyObject
  const old = change.old as unknown as AnyObject | undefined
  if (old) removeFrom(graph, old)
  if (change.type !== 'DELETED') addTo(graph, { resource: change.resource, object })
}

function addTo(graph: Graph, kept: Kept): void {
  const { uid, ownerReferences } = kept.object.metadata
  graph.objects.set(uid, kept)
  for (const reference of ownerReferences ?? []) {
    const dependents = graph.dependents.get(reference.uid) ?? new Set()
    dependents.add(uid)
    graph.dependents.set(reference.uid, dependents)
  }
}

function removeFrom(graph: Graph, object: AnyObject): void {
  const { uid, ownerReferences } = object.metadata
  graph.objects.delete(uid)
  for (const reference of ownerReferences ?? []) {
    const dependents = graph.dependents.get(reference.uid)
    dependents?.delete(uid)
    if (dependents?.size === 0) graph.dependents.delete(reference.uid)
  }
}

function isInteresting({ metadata }: AnyObject): boolean {
  return (metadata.ownerReferences?.length ?? 0) > 0 || metadata.deletionTimestamp !== undefined
}

function keysOf(graph: Graph, change: Change): readonly string[] {
  const { metadata } = change.object
  const old = change.old?.metadata
  if (change.type === 'DELETED')
    return [
      ...(graph.dependents.get(metadata.uid) ?? []),
      // A foreground deletion may have waited for exactly this one.
      ...(metadata.ownerReferences ?? []).map((reference) => reference.uid),
    ]
  const sameOwners = old !== undefined && isSameJson(old.ownerReferences, metadata.ownerReferences)
  const sameEnd =
    old !== undefined &&
    old.deletionTimestamp === metadata.deletionTimestamp &&
    String(old.finalizers) === String(metadata.finalizers)
  if (sameOwners && sameEnd) return []
  const earlier = sameOwners ? [] : (old?.ownerReferences ?? []).map((reference) => reference.uid)
  return isInteresting(change.object) ? [metadata.uid, ...earlier] : earlier
}

async function collect(parts: Parts, graph: Graph, uid: string): Promise<Again> {
  const kept = graph.objects.get(uid)
  if (!kept) return {}
  const dependents = dependentsOf(graph, uid)
  const ownerStep = planOwner(
    kept.object,
    dependents.map(({ object }) => object),
  )
  switch (ownerStep.kind) {
    case 'release-dependents':
      await forEachBounded(dependents, WRITES_AT_ONCE, (dependent) => dropReferences(parts, dependent, [uid]))
      await dropFinalizer(parts, uid, graph, 'orphan')
      return {}
    case 'finish':
      await dropFinalizer(parts, uid, graph, ownerStep.finalizer)
      return {}
    case 'wait-for-dependents':
      await forEachBounded(dependents, WRITES_AT_ONCE, (dependent) =>
        collectDependent(parts, graph, dependent),
      )
      return {}
    case 'nothing':
      await collectDependent(parts, graph, kept)
      return {}
    default:
      return unreachable(ownerStep)
  }
}

function dependentsOf(graph: Graph, uid: string): readonly Kept[] {
  return [...(graph.dependents.get(uid) ?? [])].flatMap((dependent) => graph.objects.get(dependent) ?? [])
}

async function collectDependent(parts: Parts, graph: Graph, { resource, object }: Kept): Promise<void> {
  const own = dependentsOf(graph, object.metadata.uid)
  const step = planDependent(
    object,
    (reference) => stateOf(graph, object, reference),
    own.some((dependent) => blocks(dependent.object, object.metadata.uid)),
  )
  const { namespace, name, uid } = object.metadata
  switch (step.kind) {
    case 'keep':
      return
    case 'drop-references':
      await dropReferences(parts, { resource, object }, step.uids)
      return
    case 'delete':
      await unlessGone(
        parts.registry.remove(resource, namespace, name, {
          propagationPolicy: step.policy,
          preconditions: { uid, resourceVersion: object.metadata.resourceVersion },
        }),
      )
  }
}

const resourceOfKind = new Map(
  definitions.map((definition) => [`${definition.group}/${definition.kind}`, definition]),
)

function stateOf(graph: Graph, dependent: AnyObject, reference: OwnerReference): OwnerState {
  const slash = reference.apiVersion.indexOf('/')
  const group = slash < 0 ? '' : reference.apiVersion.slice(0, slash)
  const definition = resourceOfKind.get(`${group}/${reference.kind}`)
  if (!definition) return 'unknown'
  const owner = graph.objects.get(reference.uid)?.object
  const isThere =
    owner !== undefined &&
    owner.kind === reference.kind &&
    owner.metadata.name === reference.name &&
    (!definition.namespaced || owner.metadata.namespace === dependent.metadata.namespace)
  if (!isThere) return 'absent'
  const isWaiting =
    owner.metadata.deletionTimestamp !== undefined && owner.metadata.finalizers?.includes(FOREGROUND) === true
  return isWaiting ? 'waiting' : 'solid'
}

async function dropReferences(
  parts: Parts,
  { resource, object }: Kept,
  uids: readonly string[],
): Promise<void> {
  const ownerReferences = (object.metadata.ownerReferences ?? []).filter(({ uid }) => !uids.includes(uid))
  await updateMetadata(parts, resource, object, { ownerReferences })
}

async function dropFinalizer(parts: Parts, uid: string, graph: Graph, finalizer: string): Promise<void> {
  const kept = graph.objects.get(uid)
  if (!kept) return
  const finalizers = (kept.object.metadata.finalizers ?? []).filter((other) => other !== finalizer)
  await updateMetadata(parts, kept.resource, kept.object, { finalizers })
}

async function updateMetadata(
  { registry }: Parts,
  resource: Resource,
  object: AnyObject,
  change: Partial<AnyObject['metadata']>,
): Promise<void> {
  const next = { ...object, metadata: { ...object.metadata, ...change } }
  await unlessGone(registry.update(resource, next, MANAGER))
}
