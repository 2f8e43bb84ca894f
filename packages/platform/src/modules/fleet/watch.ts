import { messageOf } from '@slipway/kit'
import { clusterReflectors, type Kube, type Live, type Reflector } from '@slipway/kube'

import type { Platform } from '../../context.ts'
import { WORKLOAD_LABEL } from './model.ts'

/*
 * Follows the pods and Deployments of Workloads on one Cluster, so that lists need not ask it and the release engine looks as
 * soon as something moves. Only a hint: whoever may not watch, or lost the stream, finds changes at the next resync.
 */
type Watched = 'pods' | 'deployments'

export type WorkloadWatch = AsyncDisposable & {
  /** The pods of Workloads in a namespace as last seen; undefined while that may be old. */
  readonly pods: (namespace: string) => readonly Live<'pods'>[] | undefined
}

export function watchWorkloads(
  platform: Pick<Platform, 'clock' | 'random' | 'log'>,
  cluster: { readonly slug: string; readonly kube: Kube },
  onChange: (workloadId: string) => void,
): WorkloadWatch {
  const reflectors = clusterReflectors({
    kube: cluster.kube,
    clock: platform.clock,
    random: platform.random,
    onError: (error, resource) =>
      platform.log.debug({ cluster: cluster.slug, resource, error: messageOf(error) }, 'watching failed'),
  })
  const pods = reflectors.open('pods', { labelSelector: WORKLOAD_LABEL })
  report(pods, onChange)
  report(reflectors.open('deployments', { labelSelector: WORKLOAD_LABEL }), onChange)
  return {
    pods: (namespace) => (pods.status().phase === 'synced' ? pods.cache()?.list(namespace) : undefined),
    [Symbol.asyncDispose]: () => reflectors[Symbol.asyncDispose](),
  }
}

/** An object that is gone no longer tells whose it was, so that is remembered. */
function report<R extends Watched>(reflector: Reflector<R>, onChange: (workloadId: string) => void): void {
  const owners = new Map<string, string>()
  reflector.onChange((target) => {
    const key = `${target.namespace ?? ''}/${target.name}`
    const object = reflector.cache()?.get(target)
    const owner = object?.metadata.labels?.[WORKLOAD_LABEL] ?? owners.get(key)
    if (object && owner !== undefined) owners.set(key, owner)
    else owners.delete(key)
    if (owner !== undefined) onChange(owner)
  })
}
