import type { Target } from './requests.ts'
import type { Live, ResourceName } from './resources.ts'

/** The objects of one resource as they were last seen. */
export type ObjectCache<R extends ResourceName> = {
  readonly get: (target: Target) => Live<R> | undefined
  /** All, or those of one namespace, in no order. */
  readonly list: (namespace?: string) => readonly Live<R>[]
  readonly size: number
}

export type WritableCache<R extends ResourceName> = ObjectCache<R> & {
  /** @returns true when something changed */
  readonly put: (object: Live<R>) => boolean
  readonly drop: (target: Target) => boolean
  /** Takes a whole list. @returns the keys that changed or vanished */
  readonly replace: (objects: readonly Live<R>[]) => readonly Target[]
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

export function objectCache<R extends ResourceName>(): WritableCache<R> {
  const byKey = new Map<string, Live<R>>()

  function put(object: Live<R>): boolean {
    const key = keyOf(targetOf(object))
    const changed = !isSame(byKey.get(key), object)
    if (changed) byKey.set(key, stripped(object))
    return changed
  }

  return {
    get: (target) => byKey.get(keyOf(target)),
    list(namespace) {
      const all = [...byKey.values()]
      return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace)
    },
    get size() {
      return byKey.size
    },
    put,
    drop: (target) => byKey.delete(keyOf(target)),
    replace(objects) {
      const seen = new Set(objects.map((object) => keyOf(targetOf(object))))
      const vanished = [...byKey].filter(([key]) => !seen.has(key))
      for (const [key] of vanished) byKey.delete(key)
      const changed = objects.filter((object) => put(object))
      return [...vanished.map(([, object]) => targetOf(object)), ...changed.map((object) => targetOf(object))]
    },
  }
}

export function targetOf(object: Live<ResourceName>): Target {
  const { name, namespace } = object.metadata
  return namespace === undefined ? { name } : { name, namespace }
}

/** Versions are opaque: equal means the same state of the same object, and nothing else can be read from them. */
function isSame(one: Live<ResourceName> | undefined, other: Live<ResourceName>): boolean {
  return (
    one?.metadata.resourceVersion === other.metadata.resourceVersion &&
    one.metadata.uid === other.metadata.uid
  )
}

/** Without what is large and of no use to a reader: often half of an object. */
function stripped<R extends ResourceName>(object: Live<R>): Live<R> {
  const { managedFields: _, annotations, ...metadata } = object.metadata
  const { [LAST_APPLIED]: __, ...kept } = annotations ?? {}
  return { ...object, metadata: { ...metadata, ...(annotations && { annotations: kept }) } }
}

function keyOf(target: Target): string {
  // A slash occurs in neither.
  return `${target.namespace ?? ''}/${target.name}`
}
