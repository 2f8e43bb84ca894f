import { hasReason, type Kube, type Live, type Objects } from '@slipway/kube'

import { annotations, fingerprintOf, type Kind, type Manifest } from './manifests.ts'
import type { Difference, LiveObject } from './observe.ts'

const MANAGER = 'slipway-release'

export type Fence = { readonly epoch: number; readonly signal: AbortSignal }

/** Thrown when an object carries a newer epoch: somebody else leads now, and this pass must stop. */
export class FencedError extends Error {
  override readonly name = 'FencedError'
}

/** What a step left on the Cluster: an object in a version, or the end of the one with this uid. */
export type Wrote = {
  /** `<resource>/<name>` */
  readonly key: string
  readonly uid: string
  /** Undefined when it was removed. */
  readonly version: string | undefined
}

/**
 * Takes one step. Idempotent: an object that is there already is applied over, one that is gone already stays gone.
 * The epoch is compared on what was read, and the write carries the version read, so a stale leader cannot win.
 */
export async function takeStep(kube: Kube, difference: Difference, fence: Fence): Promise<Wrote> {
  const options = { signal: fence.signal, manager: MANAGER }
  if (difference.kind === 'create') {
    const { resource, object } = stamped(difference.manifest, fence.epoch)
    return wroteOf(resource, await kube.create(resource, object, options))
  }
  refuseNewer(difference.live, fence.epoch)
  if (difference.kind === 'remove') {
    await removeQuietly(kube, difference.live, fence.signal)
    const { resource, object } = difference.live
    return { ...wroteOf(resource, object), version: undefined }
  }
  const { resource, object } = stamped(difference.manifest, fence.epoch)
  const { resourceVersion } = difference.live.object.metadata
  const fenced = { ...object, metadata: { ...object.metadata, resourceVersion } }
  return wroteOf(resource, await kube.apply(resource, fenced, { ...options, force: true }))
}

function wroteOf(resource: Kind, { metadata }: Live<Kind>): Wrote {
  return { key: `${resource}/${metadata.name}`, uid: metadata.uid, version: metadata.resourceVersion }
}

async function removeQuietly(kube: Kube, live: LiveObject, signal: AbortSignal): Promise<void> {
  const { name, namespace, uid } = live.object.metadata
  try {
    await kube.remove(
      live.resource,
      { name, ...(namespace === undefined ? {} : { namespace }) },
      { signal, propagationPolicy: 'Background', preconditions: { uid } },
    )
  } catch (thrown) {
    // Gone already, or another object by the same name: either way nothing of ours is left to remove.
    if (!hasReason(thrown, 'NotFound') && !hasReason(thrown, 'Conflict')) throw thrown
  }
}

function refuseNewer(live: LiveObject, epoch: number): void {
  const stamp = Number(live.object.metadata.annotations?.[annotations.epoch] ?? 0)
  if (stamp > epoch)
    throw new FencedError(
      `${live.resource} ${live.object.metadata.name} was written by epoch ${stamp}, this is ${epoch}`,
    )
}

function stamped(
  manifest: Manifest,
  epoch: number,
): { readonly resource: Manifest['resource']; readonly object: Objects[Manifest['resource']] } {
  const { metadata } = manifest.object
  const stamps = { [annotations.epoch]: String(epoch), [annotations.applied]: fingerprintOf(manifest.object) }
  const object = {
    ...manifest.object,
    metadata: { ...metadata, annotations: { ...metadata?.annotations, ...stamps } },
  }
  // Resource and object come from one manifest, so they belong together.
  return { resource: manifest.resource, object: object }
}
