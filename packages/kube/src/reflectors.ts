import { type Clock, limiterOf, type Random } from '@slipway/kit'

import type { Kube, Selection } from './kube.ts'
import { type Reflector, type ReflectorStatus, startReflector } from './reflector.ts'
import type { ResourceName } from './resources.ts'

export type ReflectorsOptions = {
  readonly kube: Pick<Kube, 'list' | 'watch'>
  readonly clock: Clock
  readonly random: Random
  readonly onError: (error: Error, resource: ResourceName) => void
  readonly spreadMs?: number
}

/** The reflectors of one cluster: whoever asks for the same resource and selection reads the same stream. */
export type Reflectors = AsyncDisposable & {
  /** Disposing the handle ends the stream only when it was the last one. */
  readonly open: <R extends ResourceName>(resource: R, selection?: Selection) => Reflector<R>
  readonly statuses: () => readonly ({ readonly resource: ResourceName } & ReflectorStatus)[]
}

/** Lists are the heavy part; a cluster gets so many of ours at a time. */
const LISTS_MAX = 4

type Shared = {
  readonly resource: ResourceName
  readonly reflector: Reflector<ResourceName>
  readers: number
}

export function clusterReflectors(options: ReflectorsOptions): Reflectors {
  const shared = new Map<string, Shared>()
  const lists = limiterOf(LISTS_MAX)

  function open<R extends ResourceName>(resource: R, selection: Selection = {}): Reflector<R> {
    const { namespace, labelSelector, fieldSelector } = selection
    const key = JSON.stringify([resource, namespace, labelSelector, fieldSelector])
    const found = shared.get(key)
    const entry = found ?? {
      resource,
      reflector: startReflector({ ...options, resource, selection, lists }),
      readers: 0,
    }
    shared.set(key, entry)
    entry.readers += 1
    let isOpen = true
    // The key holds the resource, so the objects are of its kind.
    const reflector = entry.reflector as unknown as Reflector<R>
    return {
      ...reflector,
      async [Symbol.asyncDispose]() {
        if (!isOpen) return
        isOpen = false
        entry.readers -= 1
        if (entry.readers > 0) return
        if (shared.get(key) === entry) shared.delete(key)
        await entry.reflector[Symbol.asyncDispose]()
      },
    }
  }

  return {
    open,
    statuses: () =>
      [...shared.values()].map(({ resource, reflector }) => ({ resource, ...reflector.status() })),
    async [Symbol.asyncDispose]() {
      const all = [...shared.values()]
      shared.clear()
      await Promise.all(all.map(({ reflector }) => reflector[Symbol.asyncDispose]()))
    },
  }
}
