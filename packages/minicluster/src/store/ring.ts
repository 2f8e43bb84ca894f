import type { AnyObject, Resource } from '../model.ts'

/** One durable change with its version. `old` is what was there before. */
export type StoredChange = {
  readonly version: number
  readonly resource: Resource
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: AnyObject
  readonly old: AnyObject | undefined
}

/** The latest changes of one resource, for watches that resume. */
export type Ring = {
  readonly push: (change: StoredChange) => void
  /** Changes after `version` in order, or undefined when some of them are forgotten already. */
  readonly after: (version: number) => readonly StoredChange[] | undefined
}

/**
 * @param capacity - changes kept at least; twice as many at most
 * @param floor - the version before which nothing is known
 */
export function newRing(capacity: number, floor: number): Ring {
  let changes: StoredChange[] = []
  let knownAfter = floor
  return {
    push(change) {
      changes.push(change)
      // In halves, so that forgetting costs nothing per change.
      if (changes.length <= capacity * 2) return
      knownAfter = changes[capacity - 1]?.version ?? knownAfter
      changes = changes.slice(capacity)
    },
    after(version) {
      if (version < knownAfter) return undefined
      let low = 0
      let high = changes.length
      while (low < high) {
        const middle = (low + high) >>> 1
        if ((changes[middle]?.version ?? 0) <= version) low = middle + 1
        else high = middle
      }
      return changes.slice(low)
    },
  }
}
