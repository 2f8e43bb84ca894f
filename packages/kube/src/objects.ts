import { isRecord } from '@slipway/kit'

import { KubeError } from './errors.ts'
import type { ObjectPage } from './kube.ts'
import { apiVersionOf, type Live, type Objects, type ResourceName, resources } from './resources.ts'

/** Set on objects so that the server knows what it gets; callers need not. */
export function withType<R extends ResourceName>(resource: R, object: Objects[R]): Objects[R] {
  return { ...object, apiVersion: apiVersionOf(resource), kind: resources[resource].kind }
}

/**
 * Takes an answer for an object of the resource. Only what everybody relies on is checked: that it is an object, of the right
 * kind, with metadata. Objects in lists carry no type of their own; here they get it.
 * @throws {KubeError} `InvalidReply`
 */
export function liveObject<R extends ResourceName>(resource: R, value: unknown): Live<R> {
  const { kind } = resources[resource]
  if (!isRecord(value) || !isRecord(value['metadata']) || (value['kind'] ?? kind) !== kind)
    throw new KubeError(0, 'InvalidReply', `the server did not answer with a ${kind}`)
  // The fields of the kind are the API server's promise; checking all of them would be a second API server.
  return { ...value, apiVersion: apiVersionOf(resource), kind } as unknown as Live<R>
}

/** @throws {KubeError} `InvalidReply` */
export function pageOfObjects<R extends ResourceName>(resource: R, value: unknown): ObjectPage<R> {
  const { items, metadata } = isRecord(value) ? value : {}
  if (!Array.isArray(items) || !isRecord(metadata))
    throw new KubeError(0, 'InvalidReply', `the server did not answer with a list of ${resource}`)
  const { resourceVersion, continue: token, remainingItemCount } = metadata
  return {
    items: items.map((item) => liveObject(resource, item)),
    resourceVersion: typeof resourceVersion === 'string' ? resourceVersion : '',
    ...(typeof token === 'string' && token !== '' && { continue: token }),
    ...(typeof remainingItemCount === 'number' && { remainingItemCount }),
  }
}
