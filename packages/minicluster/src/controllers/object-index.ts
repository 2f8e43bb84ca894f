import type { Registry, Resource, Stored } from '../model.ts'

/** The objects of one resource by some key of theirs (owner, node, …), kept up to date with every commit. */
export type ObjectIndex<R extends Resource> = Disposable & {
  readonly get: (key: string) => readonly Stored<R>[]
  readonly keys: () => IterableIterator<string>
}

/**
 * Builds an index over one resource and follows the registry. Make it before the controllers that read it, so that it is
 * current when they are woken.
 */
export function indexObjects<R extends Resource>(
  registry: Registry,
  resource: R,
  keysOf: (object: Stored<R>) => readonly string[],
): ObjectIndex<R> {
  const groups = new Map<string, Map<string, Stored<R>>>()

  function add(object: Stored<R>): void {
    for (const key of keysOf(object)) {
      const group = groups.get(key) ?? new Map<string, Stored<R>>()
      group.set(object.metadata.uid, object)
      groups.set(key, group)
    }
  }
  function drop(object: Stored<R>): void {
    for (const key of keysOf(object)) {
      const group = groups.get(key)
      group?.delete(object.metadata.uid)
      if (group?.size === 0) groups.delete(key)
    }
  }

  const observer = registry.observe((change) => {
    if (change.resource !== resource) return
    // The comparison above ties the change to R; the type system cannot follow it through the mapped union.
    const old = change.old as Stored<R> | undefined
    if (old) drop(old)
    if (change.type !== 'DELETED') add(change.object as unknown as Stored<R>)
  })
  for (const object of registry.list(resource)) add(object)

  return {
    get: (key) => [...(groups.get(key)?.values() ?? [])],
    keys: () => groups.keys(),
    [Symbol.dispose]: () => observer[Symbol.dispose](),
  }
}
