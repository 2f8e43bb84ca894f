import { hasReason, type Kube, type Objects } from '@slipway/kube'

import { annotations, fingerprintOf, type Manifest } from './manifests.ts'
import type { Difference, LiveObject } from './observe.ts'

const MANAGER = 'slipway-release'

export type Fence = { readonly epoch: number; readonly signal: AbortSignal }

/** Thrown when an object carries a newer epoch: somebody else leads now, and this pass must stop. */
export class FencedError extends Error {
  override readonly name = 'FencedError'
}

/**
 * Takes one step. Idempotent: an object that is there already is applied over, one that is gone already stays gone.
 * The epoch is compared on what was read, and the write carries the version read, so a stale leader cannot win.
 */
export async function takeStep(kube: Kube, difference: Difference, fence: Fence): Promise<void> {
  const options = { signal: fence.signal }
  switch (difference.kind) {
    case 'create': {
      const { resource, object } = stamped(difference.manifest, fence.epoch)
      await kube.create(resource, object, { ...options, manager: MANAGER })
      return
    }
    case 'apply': {
      refuseNewer(difference.live, fence.epoch)
      const { resource, object } = stamped(difference.manifest, fence.epoch)
      const resourceVersion = difference.live.object.metadata.resourceVersion
      await kube.apply(
        resource,
        { ...object, metadata: { ...object.metadata, resourceVersion } },
        {
          ...options,
          manager: MANAGER,
          force: true,
        },
      )
      return
    }
    case 'remove':
      refuseNewer(difference.live, fence.epoch)
      await removeQuietly(kube, difference.live, options.signal)
  }
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
