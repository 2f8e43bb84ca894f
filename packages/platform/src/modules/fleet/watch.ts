import { messageOf } from '@slipway/kit'
import { clusterReflectors, type Kube, type Live, type Reflector } from '@slipway/kube'

import type { Platform } from '../../context.ts'
import { WORKLOAD_LABEL } from './model.ts'

/*
 * Follows everything that carries a Workload's label on one Cluster: one list and one watch per kind, shared by all who read.
 * So lists and the release engine need not ask the Cluster, and the engine looks as soon as something moves. What is not
 * followed, because we may not watch it or the stream is broken, is not known here; whoever needs it then asks.
 * An account of least privilege may not watch the Secrets of the whole Cluster. They are followed by namespace then, from the
 * first time that somebody asks for them.
 */
const followed = ['pods', 'deployments', 'services', 'secrets', 'gateways', 'httproutes'] as const
export type Followed = (typeof followed)[number]
/** Namespaces whose Secrets are followed on one Cluster; each is a stream. */
const NAMESPACES_MAX = 300

export type WorkloadWatch = AsyncDisposable & {
  /** The pods of Workloads, of all namespaces or of one, as last seen; undefined while that may be old. */
  readonly pods: (namespace?: string) => readonly Live<'pods'>[] | undefined
  /** Objects of a Workload as last seen; undefined while that may be old. */
  readonly objects: ObjectsOf
}

export type ObjectsOf = <R extends Followed>(
  resource: R,
  workloadId: string,
) => readonly Live<R>[] | undefined

type Follow<R extends Followed> = {
  readonly reflector: Reflector<R>
  readonly of: (workloadId: string) => readonly Live<R>[]
}

export function watchWorkloads(
  platform: Pick<Platform, 'clock' | 'random' | 'log'>,
  cluster: { readonly slug: string; readonly kube: Kube; readonly isLimited?: boolean },
  onChange: (workloadId: string) => void,
): WorkloadWatch {
  const reflectors = clusterReflectors({
    kube: cluster.kube,
    clock: platform.clock,
    random: platform.random,
    onError: (error, resource) =>
      platform.log.debug({ cluster: cluster.slug, resource, error: messageOf(error) }, 'watching failed'),
  })
  const open = <R extends Followed>(resource: R, namespace?: string): Follow<R> =>
    follow(reflectors.open(resource, { labelSelector: WORKLOAD_LABEL, namespace }), onChange)
  const follows = new Map<Followed, Follow<Followed>>(
    followed
      .filter((resource) => resource !== 'secrets' || cluster.isLimited !== true)
      .map((resource) => [resource, open<Followed>(resource)]),
  )
  const secrets = new Map<string, Follow<'secrets'>>()
  // The map holds under each resource's name the objects of that resource.
  const get = <R extends Followed>(resource: R): Follow<R> | undefined =>
    follows.get(resource) as unknown as Follow<R> | undefined
  const synced = <R extends Followed>(one: Follow<R> | undefined): Follow<R> | undefined =>
    one?.reflector.status().phase === 'synced' ? one : undefined

  /** The Secrets of the namespace that a Workload's Deployments are in; one without any is not known. */
  function secretsAround(workloadId: string): Follow<'secrets'> | undefined {
    const namespace = get('deployments')?.of(workloadId)[0]?.metadata.namespace
    if (namespace === undefined) return undefined
    const known = secrets.get(namespace)
    if (known || secrets.size >= NAMESPACES_MAX) return known
    const fresh = open('secrets', namespace)
    secrets.set(namespace, fresh)
    return fresh
  }

  /** Where the objects of a Workload are kept. */
  const around = <R extends Followed>(resource: R, workloadId: string): Follow<R> | undefined =>
    resource === 'secrets' && cluster.isLimited === true ? secretsAround(workloadId) : get(resource)

  return {
    pods: (namespace) => synced(get('pods'))?.reflector.cache()?.list(namespace),
    objects: (resource, workloadId) => synced(around(resource, workloadId))?.of(workloadId),
    [Symbol.asyncDispose]: () => reflectors[Symbol.asyncDispose](),
  }
}

/**
 * Keeps the objects by Workload, as nobody could look through all of them for each. An object that is gone no longer tells
 * whose it was, so that is remembered.
 */
function follow<R extends Followed>(
  reflector: Reflector<R>,
  onChange: (workloadId: string) => void,
): Follow<R> {
  const owners = new Map<string, string>()
  const byOwner = new Map<string, Map<string, Live<R>>>()
  reflector.onChange((target) => {
    const key = `${target.namespace ?? ''}/${target.name}`
    const object = reflector.cache()?.get(target)
    const before = owners.get(key)
    const owner = object?.metadata.labels?.[WORKLOAD_LABEL]
    if (before !== undefined && before !== owner) {
      const left = byOwner.get(before)
      left?.delete(key)
      if (left?.size === 0) byOwner.delete(before)
    }
    if (object && owner !== undefined) {
      owners.set(key, owner)
      byOwner.set(owner, (byOwner.get(owner) ?? new Map<string, Live<R>>()).set(key, object))
    } else owners.delete(key)
    for (const one of new Set([before, owner])) if (one !== undefined) onChange(one)
  })
  return { reflector, of: (workloadId) => [...(byOwner.get(workloadId)?.values() ?? [])] }
}
