import { randomUUID } from 'node:crypto'

import { systemRandom, type Clock, type Random } from '@slipway/kit'

import type { AnyObject, Change, Log, Objects, Registry, Resource, Stored } from '../model.ts'
import type { JsonObject } from '../schema/json.ts'
import { copyJson, openStore, type Store, type StoreOptions } from '../store/index.ts'
import { definitionOf } from './resources.ts'
import { writesOver, type Writes } from './writes.ts'

export type RegistryOptions = {
  readonly dataFolder: string
  readonly clock: Clock
  readonly log: Log
  readonly newUid?: () => string
  readonly random?: Random
  /** Bounds of the store, for tests. */
  readonly store?: Pick<StoreOptions, 'ringCapacity' | 'snapshotMinBytes'>
}

/** The cluster's state: `registry` for users in process, the rest for the API server. */
export type OpenRegistry = AsyncDisposable & {
  readonly registry: Registry
  readonly store: Store
  readonly writes: Writes
}

/**
 * Opens the state kept below `dataFolder`, which must belong to this process alone.
 * @throws {Error} when its files are damaged
 */
export async function openRegistry(options: RegistryOptions): Promise<OpenRegistry> {
  const { dataFolder, clock, log } = options
  const store = await openStore({ dataFolder, log, ...options.store })
  const writes = writesOver({
    store,
    clock,
    newUid: options.newUid ?? randomUUID,
    random: options.random ?? systemRandom,
  })
  return {
    registry: registryOver(store, writes),
    store,
    writes,
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

/**
 * The typed face over the untyped store. The casts are sound because only objects that were accepted as the resource's
 * kind, and validated as such, are ever stored under it.
 */
function registryOver(store: Store, writes: Writes): Registry {
  const typed = <R extends Resource>(object: AnyObject): Stored<R> => object as unknown as Stored<R>
  const body = (object: unknown): JsonObject & { readonly metadata?: Partial<AnyObject['metadata']> } =>
    copyJson(object) as JsonObject
  const targetOf = (resource: Resource, metadata: Partial<AnyObject['metadata']> | undefined) => ({
    definition: definitionOf(resource),
    namespace: metadata?.namespace,
    name: metadata?.name ?? '',
  })

  return {
    get: <R extends Resource>(resource: R, namespace: string | undefined, name: string) => {
      const object = store.get(resource, namespace, name)
      return object && typed<R>(object)
    },
    list: <R extends Resource>(resource: R, namespace?: string) =>
      store.list(resource, namespace) as unknown as readonly Stored<R>[],
    async create<R extends Resource>(resource: R, object: Objects[R], manager: string) {
      const sent = body(object)
      return typed<R>(
        await writes.create(definitionOf(resource), sent.metadata?.namespace, sent, { manager }),
      )
    },
    async update<R extends Resource>(resource: R, object: Objects[R], manager: string) {
      const sent = body(object)
      const subresource = resource === 'namespaces' ? 'finalize' : ''
      return typed<R>(await writes.update(targetOf(resource, sent.metadata), sent, { manager, subresource }))
    },
    async updateStatus<R extends Resource>(resource: R, object: Objects[R], manager: string) {
      const sent = body(object)
      return typed<R>(
        await writes.update(targetOf(resource, sent.metadata), sent, { manager, subresource: 'status' }),
      )
    },
    async remove(resource, namespace, name, options = {}) {
      await writes.remove({ definition: definitionOf(resource), namespace, name }, options, {})
    },
    bind: (namespace, pod, node) =>
      writes.bind(
        { definition: definitionOf('pods'), namespace, name: pod },
        { target: { kind: 'Node', name: node } },
        { manager: 'scheduler' },
      ),
    observe: (listener) =>
      store.observe(({ resource, type, object, old }) =>
        listener({ resource, type, object, old } as unknown as Change),
      ),
  }
}
